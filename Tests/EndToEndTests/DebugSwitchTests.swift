import Glibc
import Platform
import TestSupport
import Testing

/// SIGUSR1 switches debug logging, whatever the program does.
@Suite struct DebugSwitchTests {
    @Test func `debug lines come and go while it runs, and no signal harms a start, a burst or a stop`() throws {
        let folder = TemporaryFolder()
        let exporter = try RunningExporter(folder, ["LOG_LEVEL": "info", "ORG_SOURCE": "fixed", "ORG_ID": "o"])
        func count(_ message: String) -> Int { exporter.lines.count { $0["msg"] as? String == message } }
        let (on, off) =
            ("debug logging is on: another SIGUSR1 switches it off", "debug logging is off: SIGUSR1 switches it on")

        // The signals are blocked before the first line.
        #expect(Waiting.until("the first line") { !exporter.lines.isEmpty })
        exporter.process.signal(SIGUSR1)
        #expect(Waiting.until("debug on") { count(on) == 1 })
        _ = try exporter.ready()
        exporter.process.signal(SIGUSR1)
        #expect(Waiting.until("debug off") { count(off) == 1 })

        for _ in 0..<200 { exporter.process.signal(SIGUSR1) }
        // Signals that come while one waits become one with it. At least one of them arrives.
        #expect(Waiting.until("a switch of the burst") { count(on) + count(off) > 2 })
        exporter.process.signal(SIGHUP)
        #expect(
            Waiting.until("an even number of switches") {
                if count(on) == count(off) { return true }
                exporter.process.signal(SIGUSR1)
                return false
            })

        exporter.process.signal(SIGTERM)
        for _ in 0..<50 { exporter.process.signal(SIGUSR1) }
        #expect(exporter.process.wait() == 0, "\(exporter.output.suffix(2_000))")
    }
}
