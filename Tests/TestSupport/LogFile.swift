import Glibc
package import Platform

/// A log of JSON lines that a test reads.
package final class LogFile: Sendable {
    package let log: Log
    private let folder = TemporaryFolder()
    private let file: Int32

    package init(_ level: Log.Level = .debug) {
        file = open(folder.file("log"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        log = Log(level: level, format: .json, file: file)
    }

    deinit {
        // The log must stop writing before the descriptor is closed.
        log.end()
        close(file)
    }

    /// The lines so far that hold `text`.
    package func lines(_ text: String) throws -> [String] {
        _ = log.settle()
        let content = String(decoding: try FileStore.read(folder.file("log"), limit: 64 << 20), as: UTF8.self)
        return content.split(separator: "\n").map(String.init).filter { $0.contains(text) }
    }
}
