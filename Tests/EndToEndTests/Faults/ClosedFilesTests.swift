import Glibc
import Platform
import TestSupport
import Testing

/// Starts without standard input, output or error: no file of the program gets one of their numbers.
@Suite(.serialized) struct ClosedFilesTests {
    private let folder = TemporaryFolder()
    private let service: SilentService

    init() { service = SilentService(folder) }

    /// Starts the program as a shell does, for example with `>&-`.
    private func start(_ words: String, _ more: [String: String] = [:]) throws -> ChildProcess {
        try ChildProcess(
            "/bin/sh", ["-c", "exec \"$0\" \(words)", BuiltProgram.executable],
            environment: service.environment(more))
    }

    @Test(arguments: ["<&-", ">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
    func `a closed descriptor is given to nobody`(_ closing: String) throws {
        let process = try start("serve \(closing)", ["LOG_LEVEL": "debug"])
        try service.waitUntilReady(process)
        try service.sendWebhooks(1_000)
        for file in 0...2 {
            var buffer = [UInt8](repeating: 0, count: 256)
            let count = readlink("/proc/\(process.pid)/fd/\(file)", &buffer, buffer.count)
            #expect(String(decoding: buffer[..<max(0, count)], as: UTF8.self) == "/dev/null", "\(file)")
        }
        #expect(process.end(with: SIGTERM) == 0)
    }

    @Test(arguments: ["version", "help", "check", "migrate"])
    func `commands work without any descriptor`(_ command: String) throws {
        #expect(try start("\(command) <&- >&- 2>&-").wait() == 0)
    }
}
