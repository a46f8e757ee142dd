import Glibc
import LiveKit
import Platform
import Status
import TestSupport
import Testing
import Wire

/// The status page of the built program, in a real browser.
@Suite(.enabled(if: Chromium.isWanted, "LKPUSH_TEST_PYTHON names a Python with Tests/requirements.txt"))
struct StatusPageTests {
    private static let rows = """
        [...document.querySelectorAll('#organizations-table tbody tr')].map(
            row => [...row.cells].map(cell => cell.textContent).join(' '))
        """

    @Test func `the page shows what webhooks change, and asks nobody but lkpush`() throws {
        let exporter = try ShownExporter(ShownExporter.byName)
        let browser = try Chromium()
        try browser.open(exporter.page)
        #expect(try browser.wait(forText: "Healthy"))
        #expect(try browser.text().contains("Nobody uses LiveKit now"))

        let office = try exporter.simulate(["--orgs", "5", "--users", "30", "--duration", "8h", "--speed", "600"])
        // The figures are others three times in a row.
        for _ in 0..<3 {
            let before: String = try browser.run("return document.getElementById('recorder-facts').innerText")
            #expect(
                try browser.wait(
                    until: "return document.getElementById('recorder-facts').innerText !== arguments[0]", before))
        }
        try browser.expectUsable("healthy")
        try expectKeysWork(browser)

        // Nothing changes any more: the page shows what the document says.
        _ = office.end(with: SIGINT)
        let (isEqual, differences) = try compare(exporter, browser)
        #expect(isEqual, "\(differences)")
        try browser.expectQuiet(exporter.page)
        try exporter.program.terminate()
    }

    /// Sorts and filters by keys alone. Focus, cursor and scroll position outlive updates.
    private func expectKeysWork(_ browser: Chromium) throws {
        let sorting = "return document.querySelector('#organizations-table th').getAttribute('aria-sort')"
        #expect(try browser.run(sorting) as String? == nil)
        #expect(try browser.focus("#organizations-table th button"))
        for order in ["ascending", "descending"] {
            try browser.press("ENTER")
            #expect(try browser.run(sorting) as String? == order)
            let ids: [String] = try browser.run("return \(Self.rows)")
            #expect(ids == ids.sorted { order == "ascending" ? $0 < $1 : $0 > $1 } && ids.count == 5)
        }

        #expect(try browser.focus("#organizations-filter"))
        try browser.type("org_x")
        try browser.press("ARROW_LEFT")
        #expect(try browser.run("return \(Self.rows)") as [String] == [])
        try browser.perform("scrollBy(0, 37)")
        let place = """
            const field = document.activeElement;
            return [field.id, field.value, field.selectionStart].join(' ')
            """
        // Where something above appears or goes, what is seen stays in its place.
        let scroll = "return Math.round(scrollY)"
        let top = "return Math.round(document.activeElement.getBoundingClientRect().top)"
        let before: (Int, Int) = (try browser.run(scroll), try browser.run(top))
        #expect(try browser.run(place) == "organizations-filter org_x 4")
        #expect(try browser.wait(forUpdates: 3))
        #expect(try browser.run(place) == "organizations-filter org_x 4")
        let after: (Int, Int) = (try browser.run(scroll), try browser.run(top))
        #expect(after.0 == before.0 || after.1 == before.1, "\(before), then \(after)")
        for _ in 0..<2 { try browser.press("BACKSPACE") }
        for _ in 0..<4 { try browser.press("DELETE") }
    }

    /// Waits until the table of organizations says the same as the document.
    private func compare(_ exporter: ShownExporter, _ browser: Chromium) throws -> (Bool, [String]) {
        var differences: [String] = []
        let isEqual = try eventually {
            let all = try exporter.status().organizations.list.map { one in
                let figures = [one.rooms, one.participants, one.tracks, one.egresses, one.ingresses]
                return ([one.id, one.name] + figures.map(String.init)).joined(separator: " ")
            }
            let shown: [String] = try browser.run("return \(Self.rows)")
            differences = Set(all).symmetricDifference(shown).sorted()
            return differences.isEmpty && all.count == 5
        }
        return (isEqual, differences)
    }

    @Test func `the comparison with LiveKit's API is shown where it is on, and is usable`() throws {
        let exporter = try ShownExporter()
        let browser = try Chromium()
        try browser.open(exporter.page)
        #expect(try browser.wait(forText: "no comparison with LiveKit"))
        #expect(try browser.run("return document.getElementById('reconciliation').hidden"))
        // The page gets the document of the program, with a section that this program does not have.
        try browser.perform(
            """
            const ask = window.fetch;
            window.polls = {
                url: 'https://livekit.example.com', interval_seconds: 60, failures: 0, cause: '', action: '',
                last_success_timestamp_seconds: Date.now() / 1000 - 20, doubt: 'empty_list',
                differs_since_timestamp_seconds: Date.now() / 1000 - 80, entities: [
                    {entity: 'room', missing: 3, extra: 0, ghosts: 2}, {entity: 'egress', missing: 0, extra: 1, ghosts: 0}],
            };
            window.fetch = async (...wanted) => {
                const answer = await ask(...wanted);
                const status = {...await answer.json(), reconciliation: window.polls};
                return new Response(JSON.stringify(status));
            };
            """)
        #expect(try browser.wait(forText: "room 3"))
        let facts = "return document.getElementById('reconciliation').innerText"
        var text: String = try browser.run(facts)
        for part in [
            "LiveKit API", "differs", "room 3", "egress 1", "room 2", "empty_list", "https://livekit.example.com",
        ] {
            #expect(text.contains(part), "\(part): \(text)")
        }
        // The parts of the section are those of others, which are looked at in every way.
        try browser.emulate(width: 360)
        try browser.screenshot("reconciliation")
        #expect(try browser.accessibility() == [] && browser.layout() == [])
        try browser.perform(
            """
            Object.assign(window.polls, {
                failures: 3, cause: 'connection refused', action: 'See whether LiveKit runs.', entities: []});
            """)
        #expect(try browser.wait(forText: "See whether LiveKit runs."))
        text = try browser.run(facts)
        for part in ["cannot be asked", "connection refused", "3"] { #expect(text.contains(part), "\(part): \(text)") }
        try browser.expectQuiet(exporter.page)
        try exporter.program.terminate()
    }

    @Test func `a replica shows who leads, and a standby none of what is the leader's`() throws {
        let exporter = try ShownExporter()
        let browser = try Chromium()
        try browser.open(exporter.page)
        #expect(try browser.wait(forText: "no replicas"))
        #expect(try browser.run("return document.getElementById('replicas').hidden"))
        // The page gets the document of the program, with a section that this program does not have.
        try browser.perform(
            """
            const ask = window.fetch;
            window.replicas = {
                name: 'pod-0', leads: false, holder: 'pod-1', epoch: 5, since_timestamp_seconds: Date.now() / 1000 - 7200,
                last_event: 1000750, applied_event: 1000747, events_behind: 3, contact_age_seconds: 0.4, reason: '',
                error: '', log_up: true, log_error: '', log_failing_since_timestamp_seconds: null, spilled_events: 0,
                spilled_size_bytes: 0, spill_error: '', spill_lost_events_total: 0, last_spill_loss_timestamp_seconds: null,
            };
            window.fetch = async (...wanted) => {
                const answer = await ask(...wanted);
                const status = {...await answer.json(), replicas: window.replicas};
                if (!window.replicas.leads) Object.assign(status, {journal: null, usage: null});
                return new Response(JSON.stringify(status));
            };
            """)
        #expect(try browser.wait(forText: "pod-0, stands by"))
        func expect(_ section: String, _ parts: [String]) throws {
            let text: String = try browser.run("return document.getElementById('\(section)').innerText")
            for part in parts { #expect(text.contains(part), "\(section): \(part): \(text)") }
        }
        try expect("replicas", ["Replicas", "pod-1", "2 h ago", "1,000,750", "takes events", "400 ms"])
        for section in ["recorder", "usage", "journal", "database", "organizations"] {
            try expect(section, ["pod-1 leads, and has these."])
        }
        try browser.emulate(width: 360)
        try browser.screenshot("replicas")
        #expect(try browser.accessibility() == [] && browser.layout() == [])
        try browser.perform(
            """
            Object.assign(window.replicas, {
                holder: '', since_timestamp_seconds: null, reason: 'its settings differ', log_up: false,
                log_error: 'connection refused', log_failing_since_timestamp_seconds: Date.now() / 1000 - 80,
                spilled_events: 1234, spilled_size_bytes: 3145728, spill_error: 'permission denied',
                spill_lost_events_total: 17, last_spill_loss_timestamp_seconds: Date.now() / 1000 - 80});
            """)
        #expect(try browser.wait(forText: "its settings differ"))
        try expect(
            "replicas",
            ["none", "cannot be reached", "connection refused", "1,234, 3 MiB", "permission denied", "17"])
        try expect("journal", ["The replica that leads has these."])
        #expect(try browser.accessibility() == [] && browser.layout() == [])
        try browser.perform("Object.assign(window.replicas, {leads: true, holder: 'pod-0', epoch: 6, reason: ''});")
        #expect(try browser.wait(forText: "pod-0, leads"))
        try expect("journal", ["Durability"])
        try browser.expectQuiet(exporter.page)
        try exporter.program.terminate()
    }

    @Test func `the page may load nothing and run only its own script`() throws {
        let exporter = try ShownExporter()
        let client = try RawHTTP(port: exporter.program.metrics)
        client.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        let reply = try #require(client.receive())
        #expect(reply.status == 200 && reply.header("Content-Type") == "text/html; charset=utf-8")
        func hash(_ element: String) throws -> String {
            let pieces = reply.text.split(separator: "<\(element)>", omittingEmptySubsequences: false)
            try #require(pieces.count == 2, "one element \(element)")
            let end = try #require(pieces[1].firstRange(of: "</\(element)>"))
            let content = Array(pieces[1][..<end.lowerBound].utf8)
            return String(decoding: Digest(of: content.span).text(.standard), as: UTF8.self)
        }
        #expect(
            reply.header("Content-Security-Policy") == """
                default-src 'none'; connect-src 'self'; img-src data:; script-src 'sha256-\(try hash("script"))'; \
                style-src 'sha256-\(try hash("style"))'; frame-ancestors 'none'; base-uri 'none'
                """)
        // The browser agrees: what is not in the policy does not run, and cannot be added.
        let browser = try Chromium()
        try browser.open(exporter.page)
        #expect(try browser.wait(forText: "Healthy"))
        try browser.expectQuiet(exporter.page)
        try browser.perform(
            """
            const script = document.createElement('script');
            script.textContent = 'window.ran = 1';
            document.body.append(script, Object.assign(new Image(), {src: '/metrics'}));
            """)
        #expect(try browser.run("return window.ran === undefined"))
        var refusals: [String] = []
        #expect(
            try eventually {
                refusals += try browser.console()
                return refusals.count { $0.contains("Content Security Policy") } == 2
            }, "\(refusals)")
        try exporter.program.terminate()
    }

    @Test func `a name of somebody else's does not lead to the status`() throws {
        let exporter = try ShownExporter(["METRICS_ALLOWED_HOSTS": "status.example, lkpush"])
        let port = exporter.program.metrics
        func status(_ path: String, _ host: String) throws -> Int? {
            let client = try RawHTTP(port: port)
            client.send("GET \(path) HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n\r\n")
            return client.receive()?.status
        }
        let own = [
            "localhost", "localhost:\(port)", "LocalHost", "127.0.0.1", "127.0.0.1:\(port)", "[::1]", "[::1]:\(port)",
            "10.0.0.7:9464", "status.example", "Status.Example:80", "lkpush",
        ]
        let foreign = [
            "evil.example", "evil.example:\(port)", "localhost.evil.example", "127.0.0.1.evil.example", "notlocalhost",
            "status.example.evil.example", "evil.example@localhost", "[::1].evil.example", "",
        ]
        for path in ["/", "/debug/status", "/debug/memory"] {
            for host in own { #expect(try status(path, host) == 200, "\(path) as \(host)") }
            for host in foreign { #expect(try status(path, host) == 403, "\(path) as \(host)") }
        }
        for path in ["/metrics", "/healthz", "/readyz"] {
            for host in own + foreign { #expect(try status(path, host) == 200, "\(path) as \(host)") }
        }
        try exporter.program.terminate()
    }

    @Test func `a receiver that is gone, and lkpush itself, are missed and found again`() throws {
        let port = FixedPorts.pick()
        let exporter = try ShownExporter([
            "GRAFANA_PROM_REMOTE_WRITE_URL": "http://127.0.0.1:\(port)/api/v1/write", "PUSH_INTERVAL": "500ms",
            "REMOTE_WRITE_MIN_BACKOFF": "200ms", "REMOTE_WRITE_MAX_BACKOFF": "500ms",
        ])
        let browser = try Chromium()
        try browser.open(exporter.page)
        let problems = "return document.querySelectorAll('#problems > li:not([hidden])').length"
        #expect(try browser.wait(until: "\(problems) === 1"))
        for words in ["default", "Connection refused", "What to do"] { #expect(try browser.wait(forText: words)) }
        #expect(try browser.wait(forText: "Degraded"))
        let receiver = try ScriptedReceiver(port: port)
        #expect(try browser.wait(until: "\(problems) === 0"))
        #expect(try browser.wait(forText: "Healthy"))
        #expect(try browser.run("return document.title.includes('Healthy')"))
        try browser.expectQuiet(exporter.page)

        try exporter.program.terminate()
        #expect(try browser.wait(forText: "does not answer since"))
        #expect(try browser.run("return document.body.dataset.connection === 'lost'"))
        try browser.screenshot("gone")
        #expect(try browser.accessibility() == [])
        #expect(try browser.layout() == [])
        // The button is there as long as nothing answers, and the page asks by itself, too.
        #expect(try browser.focus("#retry"))
        try exporter.program.startAndWait()
        try browser.press("ENTER")
        #expect(try browser.wait(until: "return document.body.dataset.connection === 'live'"))
        #expect(try browser.wait(forText: "Healthy"))
        #expect(try !browser.text().contains("does not answer since"))
        try exporter.program.terminate()
        receiver.stop()
    }
}
