import Glibc
import HTTPClient
import HTTPServing
import Platform
import Status
import TestSupport
import Testing
import Wire

@testable import Top

/// The built program, beside the test bundle.
private let executable: String = {
    guard let path = realpath("/proc/self/exe", nil) else { return "" }
    defer { free(path) }
    return String(cString: path).split(separator: "/").dropLast().map { "/\($0)" }.joined() + "/lkpush"
}()

private func run(_ arguments: [String], _ environment: [String: String] = [:]) -> (status: Int32, output: String) {
    ChildProcess.run(
        executable, ["top"] + arguments,
        environment: ["PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "TERM": "xterm"].merging(environment) { $1 })
}

/// Arguments and addresses.
@Suite struct TopOptionsTests {
    private func url(_ arguments: [String], _ environment: [String: String] = [:]) throws -> String {
        try TopOptions(arguments: arguments, environment: environment).url.exposed
    }

    @Test func `an address is taken as people write it`() throws {
        let table = [
            ("http://127.0.0.1:9464", "http://127.0.0.1:9464/debug/status"), ("h:1", "http://h:1/debug/status"),
            ("http://h:1/", "http://h:1/debug/status"), ("http://h:1/metrics", "http://h:1/debug/status"),
            ("h:1/metrics/", "http://h:1/debug/status"), ("http://h/debug/status", "http://h/debug/status"),
            ("https://h/lk/push/", "https://h/lk/push/debug/status"), ("h/lk/metrics", "http://h/lk/debug/status"),
            ("http://u:p@h:1/?t=1#x", "http://u:p@h:1/debug/status?t=1"),
            ("[::1]:9464", "http://[::1]:9464/debug/status"),
            ("HTTP://h:1", "HTTP://h:1/debug/status"), (" h:1 ", "http://h:1/debug/status"),
        ]
        for (text, expected) in table { #expect(try url([text]) == expected) }
        for text in ["", "ftp://h", "http://", "h h", "://x"] {
            #expect(throws: TopOptions.ArgumentFault.self) { _ = try url([text]) }
        }
    }

    @Test func `without an address it is that of the listener of this machine`() throws {
        let table = [
            ("127.0.0.1:9000", "http://127.0.0.1:9000"), ("0.0.0.0:9000", "http://127.0.0.1:9000"),
            (":9000", "http://127.0.0.1:9000"), ("[::]:9000", "http://[::1]:9000"),
            ("[fd00::1]:1", "http://[fd00::1]:1"),
            ("metrics:9000", "http://metrics:9000"), ("", "http://127.0.0.1:9464"),
            ("127.0.0.1:0", "http://127.0.0.1:9464"),
            ("nonsense", "http://127.0.0.1:9464"),
        ]
        for (listen, expected) in table {
            #expect(try url([], ["METRICS_LISTEN": listen]) == expected + "/debug/status")
            #expect(try url(["h:1"], ["METRICS_LISTEN": listen]) == "http://h:1/debug/status")
        }
    }

    @Test func `flags are read in both forms, and every mistake is named`() throws {
        let options = try TopOptions(
            arguments: ["--once", "--json", "--interval=250ms", "--note", "a", "--note=-b", "h:1"], environment: [:])
        #expect(options.isOnce && options.isJSON && options.interval == .milliseconds(250))
        #expect(options.notes == ["a", "-b"])
        let table: [([String], String)] = [
            (["--jso"], "--jso: no such flag. Did you mean --json? See lkpush top --help"),
            (["a:1", "b:1"], "b:1: one URL at a time"),
            (["--interval"], "--interval: needs a value"), (["--once=1"], "--once: takes no value"),
            (["--interval", "1ms"], "--interval 1ms: expected a time of 100ms to 1h, such as 1s or 500ms"),
            (["--interval=2h"], "--interval 2h: expected a time of 100ms to 1h, such as 1s or 500ms"),
        ]
        for (arguments, sentence) in table {
            #expect(throws: TopOptions.ArgumentFault(sentences: [sentence])) {
                _ = try TopOptions(arguments: arguments, environment: [:])
            }
        }
        let (status, output) = run(["--x", "--interval", "x", "ftp://h"])
        #expect(status == 64)
        #expect(output.split(separator: "\n").count == 3 && output.hasPrefix("lkpush top: --x: no such flag"))
    }

    @Test func `help fits into a terminal of 80 columns, and names every flag`() {
        let (status, output) = run(["--help"])
        #expect(status == 0)
        for flag in ["--interval", "--once", "--json", "--note", "NO_COLOR", "METRICS_LISTEN"] {
            #expect(output.contains(flag))
        }
        #expect(output.split(separator: "\n").allSatisfy { $0.count <= 80 })
    }
}

/// Output that goes to a file or a pipe.
@Suite struct TopLinesTests {
    @Test func `one document as it came, and one picture of everything`() throws {
        let server = try StatusServer(Documents.hostile)
        let (status, json) = run(["--json", "--once", server.url + "/metrics"])
        #expect(status == 0)
        #expect(try StatusDocument(json: Array(json.utf8)) == Documents.hostile)
        let (whole, text) = run(["--once", server.url, "--note", "a note"])
        #expect(whole == 0)
        #expect(text.contains("FAILING") && text.contains(" a note") && text.contains("Rejected requests"))
        #expect(!text.utf8.contains { $0 < 0x20 && $0 != 0x0A })
    }

    @Test func `documents and blocks come at each interval until a signal`() throws {
        let server = try StatusServer(Documents.degraded)
        let folder = TemporaryFolder()
        for (name, arguments) in [("json", ["--json"]), ("lines", [])] {
            let child = try ChildProcess(
                executable, ["top", "--interval", "100ms", server.url] + arguments,
                environment: ["PATH": "/usr/bin:/bin", "TERM": "xterm"], output: folder.file(name))
            func lines() -> [Substring] {
                let bytes = (try? FileStore.read(folder.file(name), limit: 1 << 24)) ?? []
                return String(decoding: bytes, as: UTF8.self).split(separator: "\n")
            }
            #expect(eventually { lines().count > 20 })
            #expect(child.end(with: name == "json" ? SIGINT : SIGTERM) == (name == "json" ? 130 : 143))
            if name == "json" {
                #expect(try lines().allSatisfy { try StatusDocument(json: Array($0.utf8)) == Documents.degraded })
            } else {
                #expect(lines().allSatisfy { $0.utf8.count <= 80 })
                #expect(lines().filter { $0.contains("! WARNING") }.count == 1)
                #expect(lines().filter { $0.hasPrefix("11:06:40  degraded  1 problem") }.count > 2)
            }
        }
    }

    @Test func `the reasons why nothing can be shown are told, with what to do`() throws {
        let server = try StatusServer(Documents.healthy)
        let table: [(UInt32, String, String)] = [
            (403, "this host name is not allowed", "METRICS_ALLOWED_HOSTS"),
            (404, "not found", "An older lkpush answers so"),
            (200, "<html>", "something that is not JSON: <html>"), (200, "{}", "JSON that is not the status of lkpush"),
            (502, "bad gateway\u{1B}[2J", "answers 502: bad gateway\\u{1B}[2J"),
            (302, "", "redirects are not followed"),
        ]
        for (status, body, expected) in table {
            server.answer(status, Array(body.utf8))
            for arguments in [["--once"], ["--json"], []] {
                let (code, output) = run(arguments + [server.url])
                #expect(code == 1)
                let words = output.split { $0 == " " || $0 == "\n" }.joined(separator: " ")
                #expect(words.contains(expected) && words.contains(body == "<html>" ? body : ""), "\(output)")
            }
        }
        server.stop()
        let (code, output) = run(["--once", server.url])
        #expect(code == 1)
        #expect(output.hasPrefix("lkpush top: no answer: The connection was refused"))
        let (unknown, text) = run(["--once", "http://name.invalid"])
        #expect(unknown == 1 && text.contains("no address"))
    }

    @Test func `a server that goes is waited for, but not for ever`() throws {
        let port = FixedPorts.pick()
        let folder = TemporaryFolder()
        var server: StatusServer? = try StatusServer(Documents.healthy, port: port)
        let child = try ChildProcess(
            executable, ["top", "--interval", "100ms", "127.0.0.1:\(port)"],
            environment: ["PATH": "/usr/bin:/bin", "TERM": "xterm"], output: folder.file("lines"))
        func text() -> String {
            String(decoding: (try? FileStore.read(folder.file("lines"), limit: 1 << 24)) ?? [], as: UTF8.self)
        }
        #expect(eventually { text().contains("healthy") })
        server?.stop()
        server = nil
        #expect(child.wait() == 1)
        #expect(text().contains("no answer: The connection was refused"))
        #expect(text().contains("lkpush top: no answer"))
    }

    @Test func `a reader that has enough is no mistake`() throws {
        let server = try StatusServer(Documents.healthy)
        let (status, output) = ChildProcess.run(
            "/bin/bash",
            ["-c", "set -o pipefail; \"$0\" top --interval 100ms \"$1\" | head -n 1", executable, server.url])
        #expect(status == 0, "\(output)")
        #expect(output.hasPrefix("11:06:40  healthy"))
    }
}

/// The picture in a real terminal.
@Suite struct TopTerminalTests {
    private static let pace = ["--interval", "1h"]

    /// Starts the program in a shell that tells the settings of the keyboard afterwards.
    private func start(
        _ server: StatusServer, _ arguments: [String] = pace, rows: Int = 24, columns: Int = 80,
        _ environment: [String: String] = [:]
    ) throws -> PseudoTerminal {
        let script = """
            trap : TERM INT HUP QUIT; "$@"; status=$?
            stty -a | tr ' ' '\\n' | grep -xE -e '-?(icanon|echo|ixon)'; exit $status
            """
        return try PseudoTerminal(
            ["/bin/bash", "-c", script, "shell", executable, "top", server.url] + arguments, rows: rows,
            columns: columns, environment: environment)
    }

    /// The terminal is as it was before the program.
    private func isRestored(_ terminal: PseudoTerminal) -> Bool {
        let isRestored = eventually {
            let settings = terminal.text.split(separator: "\u{1B}[?1049l").last ?? ""
            return terminal.screen.modes == [25, 7]
                && ["icanon", "echo", "ixon"].allSatisfy { settings.contains($0) && !settings.contains("-\($0)") }
        }
        return isRestored && terminal.screen.faults.isEmpty
    }

    @Test func `keys scroll, ask and show the keys; q ends, and the terminal is as before`() throws {
        let server = try StatusServer(Documents.failing)
        let terminal = try start(server, rows: 12)
        #expect(terminal.shows("FAILING   3 problems"))
        #expect(terminal.screen.modes == [1_049])
        #expect(!terminal.isCooked)
        let first = terminal.screen.lines
        terminal.type("j")
        #expect(terminal.shows { $0.lines[0] == first[1] })
        terminal.type("\u{1B}[6~")
        #expect(terminal.shows { $0.lines[11].contains("FAILING: 3 problems") && $0.lines[0] != first[1] })
        terminal.type("G")
        #expect(terminal.shows { $0.lines[11].contains("  end") })
        terminal.type("\u{1B}[H")
        #expect(terminal.shows { $0.lines == first })
        terminal.type("?")
        #expect(terminal.shows("leave for a while"))
        terminal.type("h")
        #expect(terminal.shows { $0.lines == first })
        let asked = server.asked
        server.answer(Documents.healthy)
        terminal.type("r")
        #expect(terminal.shows("HEALTHY"))
        #expect(server.asked == asked + 1)
        terminal.type("q")
        #expect(terminal.end() == 0)
        #expect(isRestored(terminal))
    }

    @Test func `a window of another size is drawn at once`() throws {
        let server = try StatusServer(Documents.hostile)
        let terminal = try start(server)
        #expect(terminal.shows("FAILING"))
        for (rows, columns) in [(40, 120), (15, 40), (6, 20), (24, 80)] {
            terminal.resize(rows: rows, columns: columns)
            #expect(terminal.shows { $0.frames > 0 && $0.lines[rows - 1].contains(" 1-\(rows - 1) of ") })
            #expect(terminal.screen.faults.isEmpty, "\(terminal.screen.faults)")
        }
        terminal.type("\u{3}")
        #expect(terminal.end() == 130)
        #expect(isRestored(terminal))
    }

    @Test(arguments: [SIGTERM, SIGINT, SIGHUP, SIGQUIT]) func `a signal ends it in good order`(number: Int32) throws {
        let server = try StatusServer(Documents.healthy)
        let terminal = try start(server)
        #expect(terminal.shows("HEALTHY"))
        terminal.signal(number)
        #expect(terminal.end() == 128 + number)
        #expect(isRestored(terminal))
    }

    @Test func `Ctrl-Z gives the terminal back, and the picture comes again`() throws {
        let server = try StatusServer(Documents.healthy)
        // A shell with job control: its fg is what continues the program.
        let terminal = try PseudoTerminal(
            ["/bin/bash", "--norc", "-i"], environment: ["PS1": "ready>", "TOP": executable, "URL": server.url])
        #expect(terminal.shows("ready>"))
        terminal.type("\"$TOP\" top --interval 1h \"$URL\"\r")
        #expect(terminal.shows("HEALTHY"))
        terminal.type("\u{1A}")
        #expect(eventually { terminal.screen.modes.isSuperset(of: [25, 7]) && terminal.text.contains("Stopped") })
        terminal.type("fg\r")
        #expect(terminal.shows { $0.modes.contains(1_049) && $0.lines.contains { $0.contains("HEALTHY") } })
        terminal.type("q")
        #expect(eventually { !terminal.screen.modes.contains(1_049) })
        terminal.type("exit $?\r")
        #expect(terminal.end() == 0)
    }

    @Test func `where nobody could continue it, Ctrl-Z does not stop it for ever`() throws {
        let server = try StatusServer(Documents.healthy)
        let terminal = try start(server)
        #expect(terminal.shows("HEALTHY"))
        let frames = terminal.screen.frames
        terminal.type("\u{1A}")
        #expect(terminal.shows { $0.frames > frames && $0.modes == [1_049] })
        terminal.type("q")
        #expect(terminal.end() == 0)
    }

    @Test func `colors come only where they are wanted`() throws {
        let server = try StatusServer(Documents.failing)
        for (environment, hasStyles) in [([:], true), (["NO_COLOR": "1"], false), (["NO_COLOR": ""], true)] {
            let terminal = try start(server, Self.pace, environment)
            #expect(terminal.shows("FAILING"))
            #expect(terminal.screen.hasStyles == hasStyles)
            terminal.type("q")
            #expect(terminal.end() == 0)
        }
    }

    @Test(arguments: ["dumb", ""]) func `a terminal that knows no commands gets plain lines`(name: String) throws {
        let server = try StatusServer(Documents.degraded)
        let terminal = try start(server, Self.pace, ["TERM": name])
        #expect(terminal.shows("! WARNING"))
        terminal.signal(SIGINT)
        #expect(terminal.end() == 130)
        #expect(!terminal.bytes.contains(0x1B))
    }

    @Test func `a terminal without UTF-8 gets ASCII`() throws {
        let server = try StatusServer(Documents.hostile)
        let terminal = try start(server, Self.pace, rows: 200, ["LANG": "C", "LC_ALL": "POSIX"])
        #expect(terminal.shows("FAILING"))
        terminal.type("q")
        #expect(terminal.end() == 0)
        #expect(terminal.bytes.allSatisfy { $0 < 0x80 })
        #expect(terminal.screen.faults.isEmpty)
    }

    @Test func `while nothing answers the last figures stay, and an answer ends it`() throws {
        let port = FixedPorts.pick()
        let terminal = try PseudoTerminal(
            [executable, "top", "127.0.0.1:\(port)", "--interval", "100ms", "--note", "a note"])
        #expect(terminal.shows("NO ANSWER"))
        #expect(terminal.shows("The connection was refused"))
        #expect(terminal.shows("a note"))
        var server: StatusServer? = try StatusServer(Documents.healthy, port: port)
        #expect(
            terminal.shows { screen in
                screen.lines.contains { $0.contains("HEALTHY") } && !screen.lines.contains { $0.contains("NO ANSWER") }
            })
        server?.stop()
        server = nil
        #expect(terminal.shows("OLD: everything below"))
        #expect(terminal.shows("HEALTHY"))
        terminal.type("q")
        #expect(terminal.end() == 0)
        #expect(terminal.screen.modes == [25, 7])
    }

    @Test func `one picture in a terminal stays on it`() throws {
        let server = try StatusServer(Documents.healthy)
        let terminal = try start(server, ["--once"], rows: 60)
        #expect(terminal.end() == 0)
        #expect(terminal.shows("HEALTHY"))
        #expect(!terminal.text.contains("\u{1B}[?"))
        #expect(terminal.screen.hasStyles)
    }
}
