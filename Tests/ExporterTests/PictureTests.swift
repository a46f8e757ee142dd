import Exporter
import Metrics
import Platform
import TestSupport
import Testing

/// `deploy/picture.awk`: a frame of the live picture that is drawn from a page.
@Suite struct PictureTests {
    private let folder = TemporaryFolder()
    private let registry = Registry(maxSeries: 10_000)

    /// A frame at second `now`, drawn from the registry.
    private func frame(
        _ mode: String = "screen", at now: Int, rows: Int = 40, columns: Int = 80, answers: Bool = true,
        frame: Int = 0, prometheus: String = "", utf8: Bool = false
    ) throws -> [String] {
        var page: [UInt8] = []
        Exposition.append(registry, to: &page)
        try FileStore.replace(folder.file("page"), with: page)
        let variables = [
            "mode=\(mode)", "title=lkpush", "now=\(now)", "clock=12:00:00", "address=http://m", "rows=\(rows)",
            "columns=\(columns)", "utf8=\(utf8 ? 1 : 0)", "color=0", "answers=\(answers ? 1 : 0)", "frame=\(frame)",
            "prometheus=\(prometheus)", "history=\(folder.file("history"))", "result=\(folder.file("result"))",
            "note=\(folder.file("note"))",
        ]
        let script = Repository.root + "/deploy/picture.awk"
        let (status, output) = ChildProcess.run(
            "/usr/bin/env",
            ["LC_ALL=C", "awk"] + variables.flatMap { ["-v", $0] } + ["-f", script, folder.file("page")])
        try #require(status == 0, "\(output)")
        // Swift takes a carriage return and a line feed for one character.
        let text = String(decoding: output.utf8.filter { $0 != 0x0D }, as: UTF8.self)
        return text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            line.replacing("\u{1B}[K", with: "").replacing("\u{1B}[J", with: "").description
        }
    }

    private func fill(organizations: Int) {
        let rooms = registry.gauge("lk_room_active", "T.", labels: ["project", "region", "org_id"])
        let people = registry.gauge("lk_participants_active", "T.", labels: ["project", "region", "org_id"])
        for number in 1...organizations {
            rooms.series(["p", "r", "org\(number)"])?.set(number)
            people.series(["p", "r", "org\(number)"])?.set(number * 1_000)
        }
    }

    @Test func `rate and lag are those of the last seconds, and a restart begins anew`() throws {
        let events = registry.counter("lk_webhook_events_total", "T.", labels: ["event"])
        let lag = registry.histogram("lk_webhook_delivery_lag_seconds", "T.", labels: ["event"], bounds: [1])
        events.series(["a"])?.increment(by: 1_000_000)
        #expect(try frame(at: 100).contains { $0.hasPrefix(" Webhooks   0.0/s") })
        for second in 1...30 {
            events.series(["a"])?.increment(by: 20)
            events.series(["b"])?.increment(by: 5)
            lag.series(["a"])?.observe(second < 15 ? 60 : 0.25)
            _ = try frame(at: 100 + second)
        }
        let screen = try frame(at: 131)
        #expect(screen.contains { $0.hasPrefix(" Webhooks   22/s ") || $0.hasPrefix(" Webhooks   23/s ") })
        #expect(screen.contains { $0.hasPrefix("   counted  1,000,750   repeated 0   refused 0") })
        #expect(screen.contains { $0.hasPrefix("   lag      0.25 s") })
        events.end(["a"])
        #expect(try frame(at: 132).contains { $0.hasPrefix(" Webhooks   0.0/s") })
    }

    @Test func `organizations with most people come first, and those that do not fit are only in the sum`() throws {
        fill(organizations: 30)
        let screen = try frame(at: 1, rows: 16)
        #expect(screen.count == 16)
        #expect(
            screen.suffix(7).map { $0.split(separator: " ").last } == [30, 29, 28, 27, 26, 25].map { "org\($0)" } + [
                "shown"
            ])
        #expect(screen.suffix(7).first?.hasSuffix("30   30,000        0          0   org30") == true)
        #expect(screen.last?.hasSuffix("465  465,000        0          0   all 30, the largest are shown") == true)
        let tall = try frame(at: 2, rows: 60)
        #expect(tall.count < 60)
        #expect(tall.contains { $0.hasSuffix("1    1,000        0          0   org1") })
        #expect(tall.last?.hasSuffix("all 30") == true)
    }

    @Test func `no window is too small`() throws {
        fill(organizations: 3)
        for rows in 1...30 {
            #expect(try frame(at: rows, rows: rows, columns: 1, prometheus: "http://p").count <= rows)
        }
    }

    @Test func `what strangers wrote is shown, but commands nothing`() throws {
        registry.gauge("lk_room_active", "T.", labels: ["org_id"]).series(["a\"b\\,x=\"1\n\u{1B}[2J é\u{9B}"])?.set(7)
        let plain = try frame(at: 1)
        #expect(plain.contains { $0.hasSuffix(#"7        0        0          0   a\"b\\,x=\"1\n?[2J ????"#) })
        let wide = try frame(at: 2, utf8: true)
        #expect(wide.contains { $0.hasSuffix(#"7        0        0          0   a\"b\\,x=\"1\n?[2J é?"#) })
    }

    @Test func `no answer is said, and the last figures stay`() throws {
        registry.counter("lk_webhook_events_total", "T.").series()?.increment(by: 5)
        let screen = try frame(at: 1, answers: false)
        #expect(screen.contains(" No answer from lkpush: these are its last figures."))
        #expect(screen.contains { $0.hasPrefix("   counted  5 ") })
        #expect(try frame("line", at: 2, answers: false, frame: 1).first == "12:00:00 no answer from http://m")
    }

    @Test func `a line has what the screen has, under a head that comes again`() throws {
        fill(organizations: 2)
        registry.counter("lkpush_remote_write_samples_accepted_total", "T.").series()?.increment(by: 1_234)
        registry.counter("lkpush_remote_write_bytes_accepted_total", "T.").series()?.increment(by: 3_000_000)
        registry.gauge("lkpush_remote_write_last_success_timestamp_seconds", "T.").series()?.set(97)
        let first = try frame("line", at: 100)
        #expect(first.count == 4 && first[1].hasPrefix("time       per s"))
        let words = try frame("line", at: 101, frame: 7)[0].split(separator: " ").joined(separator: " ")
        #expect(words == "12:00:00 0.0 - 0 2 3 3,000 9 1,234 2.9 MiB 4 s ago 0 0 B")
        #expect(try frame("line", at: 102, frame: 20).count == 4)
    }

    @Test func `what Prometheus has got is shown beside`() throws {
        let answer = """
            {"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"lk_room_active"},\
            "value":[1790000000.1,"40"]},{"metric":{"__name__":"lk_participants_active"},"value":[1790000000.1,"1200"]},\
            {"metric":{"__name__":"lk_participant_sessions_total"},"value":[1790000000.1,"5e+03"]}]}}
            """
        #expect(try frame(at: 1, prometheus: "http://p").contains("   arrived  nothing yet"))
        try FileStore.replace(folder.file("result"), with: Array(answer.utf8))
        #expect(
            try frame(at: 1, prometheus: "http://p").contains(
                "   arrived  40 rooms   1,200 people   5,000 sessions so far, says Prometheus"))
    }
}
