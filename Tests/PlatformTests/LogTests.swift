import Foundation
import Glibc
import Platform
import TestSupport
import Testing
import Wire

private struct FixedTime: TimeSource {
    var wall = Timestamp(milliseconds: 1_790_575_221_445)
    func now() -> Timestamp { wall }
    func monotonic() -> MonotonicTime { MonotonicTime(nanoseconds: 0) }
}

@Suite struct LogTests {
    private func written(_ format: Log.Format, level: Log.Level = .info, _ body: (Log) -> Void) throws -> String {
        let folder = TemporaryFolder()
        let file = open(folder.file("log"), O_WRONLY | O_CREAT, 0o600)
        defer { close(file) }
        let log = Log(level: level, format: format, time: FixedTime(), file: file)
        body(log)
        #expect(log.end())
        return String(decoding: try FileStore.read(folder.file("log")), as: UTF8.self)
    }

    @Test func `a line is one JSON object with its fields in order`() throws {
        let text = try written(.json) {
            $0.info("started", ["port": 3001, "name": "a \"b\"\n", "ok": true, "ratio": .double(0.5)])
        }
        #expect(
            text == #"{"ts":"2026-09-28T06:00:21.445Z","level":"info","msg":"started","port":3001,"#
                + #""name":"a \"b\"\n","ok":true,"ratio":0.5}"# + "\n")
    }

    @Test func `people get the same as plain words`() throws {
        let text = try written(.text) { $0.warning("late", ["took_ms": .milliseconds(.seconds(2))]) }
        #expect(text == "2026-09-28T06:00:21.445Z warning late took_ms=2000\n")
    }

    @Test func `lines below the level are left out`() throws {
        let text = try written(.text, level: .warning) {
            $0.debug("a")
            $0.info("b")
            $0.warning("c")
            $0.error("d")
        }
        #expect(text.split(separator: "\n").count == 2)
    }

    @Test func `a throttled line appears once per interval`() throws {
        let text = try written(.text) { log in
            for _ in 0..<5 { log.throttled(.warning, "receiver down") }
            log.throttled(.warning, "another")
        }
        #expect(text.split(separator: "\n").count == 2)
    }

    @Test(arguments: Log.Format.allCases)
    func `text of strangers cannot move the cursor, end the line or reorder it`(_ format: Log.Format) throws {
        let hostile = "\u{1B}[2J\u{9B}31m\u{7F}\r\n\u{202E}gnp\u{2066}\u{2028}\u{61C}\u{0}\""
        let text = try written(format, level: .debug) { log in
            log.debug("a", ["name": .string(hostile)])
            log.marked("destination", hostile).throttled(.warning, by: hostile, "b", ["name": .text(hostile)])
            log.marked("destination", hostile).error("c")
        }
        #expect(text.split(separator: "\n", omittingEmptySubsequences: false).count == 4)
        let isHidden = { (scalar: Unicode.Scalar) in
            scalar != "\n" && (scalar.value < 0x20 || scalar.properties.generalCategory == .control)
                || scalar.properties.isBidiControl || scalar.value == 0x2028
        }
        #expect(!text.unicodeScalars.contains(where: isHidden))
        #expect(text.components(separatedBy: #"\u001b[2J\u009b31m\u007f\r\n\u202egnp"#).count == 5)
    }

    @Test func `debug lines are switched on and off while it runs, for all logs that share it`() throws {
        let text = try written(.text, level: .warning) { log in
            let marked = log.marked("part", "one")
            func lines(_ number: Int) {
                log.debug("debug", ["number": .int(number)])
                marked.info("info", ["number": .int(number)])
            }
            lines(1)
            #expect(marked.toggleDebug() == .debug)
            #expect(log.level == .debug && marked.level == .debug)
            lines(2)
            #expect(log.toggleDebug() == .warning)
            lines(3)
            #expect(marked.level == .warning)
        }
        let lines = text.split(separator: "\n").map { $0.drop { $0 != " " }.dropFirst() }
        #expect(
            lines == [
                "info debug logging is on: another SIGUSR1 switches it off part=\"one\" log_level=\"debug\"",
                "debug debug number=2", "info info part=\"one\" number=2",
                "info debug logging is off: SIGUSR1 switches it on log_level=\"warning\"",
            ])
    }

    @Test func `a log that is configured for debug stays there`() throws {
        let text = try written(.text, level: .debug) { log in
            #expect(log.toggleDebug() == .debug)
            #expect(log.toggleDebug() == .debug)
        }
        #expect(text.split(separator: "\n").allSatisfy { $0.contains("SIGUSR1 changes nothing") })
    }

    @Test func `the last warnings and errors are kept, the newest first, and none that was hidden`() throws {
        _ = try written(.json, level: .info) { log in
            log.info("not kept")
            let part = log.marked("part", "a b")
            for _ in 0..<3 { part.throttled(.warning, "throttled", ["name": "x\u{9B}"]) }
            log.error("late")
            #expect(log.recent.map(\.message) == ["late", "throttled"])
            #expect(part.recent == log.recent)
            #expect(log.recent.map(\.fields) == ["", #"part="a b" name="x\u009b""#])
            #expect(log.recent.map(\.level) == [.error, .warning] && log.recent.allSatisfy { $0.hidden == 0 })
            for number in 0..<30 { log.warning("numbered", ["number": .int(number)]) }
            #expect(log.recent.map(\.fields) == (10..<30).reversed().map { "number=\($0)" })
            log.error("long", ["text": .string(String(repeating: "ä", count: 100_000))])
            #expect(log.recent.count == 20 && log.recent[0].fields.utf8.count < 5_000)
            #expect(log.recent[0].fields.hasSuffix("ä…"))
        }
    }

    @Test func `many threads may switch at once`() throws {
        _ = try written(.text, level: .info) { log in
            let threads = (0..<4).map { _ in NamedThread(name: "switch") { for _ in 0..<250 { log.toggleDebug() } } }
            for thread in threads { thread.join() }
            // An even number of switches leads back.
            #expect(log.level == .info)
        }
    }

    @Test func `a secret is masked in every printed form`() {
        let secret = Secret("hunter2")
        var dumped = ""
        dump(secret, to: &dumped)
        for text in ["\(secret)", String(reflecting: secret), dumped, "\([secret])"] {
            #expect(!text.contains("hunter2"))
        }
    }
}
