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

    @Test func `a secret is masked in every printed form`() {
        let secret = Secret("hunter2")
        var dumped = ""
        dump(secret, to: &dumped)
        for text in ["\(secret)", String(reflecting: secret), dumped, "\([secret])"] {
            #expect(!text.contains("hunter2"))
        }
    }
}
