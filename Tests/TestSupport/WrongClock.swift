import Platform

/// A wall clock that is wrong, for a program that a test starts. It is set with libfaketime, which is preloaded: the
/// command `faketime` would start the program as a child of its own, and leave it behind when a test ends it.
package enum WrongClock {
    private static let command = "/usr/bin/faketime"

    /// The library that the command preloads, with the name of the one for programs with threads. Nil if it is not
    /// installed.
    private static let library: String? = {
        let found = ChildProcess.run(command, ["-m", "-f", "+0", "/usr/bin/env"])
        let prefix = "LD_PRELOAD="
        let line = found.output.split(separator: "\n").first { $0.hasPrefix(prefix) }
        return found.status == 0 ? line.map { String($0.dropFirst(prefix.count)) } : nil
    }()

    package static let isInstalled = library != nil

    /// Variables for a program whose wall clock is ahead by this many seconds, or behind if they are negative. Its
    /// monotonic clocks are right, as those of a machine are.
    package static func environment(ahead seconds: Int) -> [String: String] {
        preloaded(["FAKETIME": offset(seconds)])
    }

    /// Variables for a program whose wall clock is set by a file.
    package static func environment(setBy file: String) -> [String: String] {
        preloaded(["FAKETIME_TIMESTAMP_FILE": file, "FAKETIME_NO_CACHE": "1"])
    }

    /// Sets the wall clock of a program to so many seconds ahead of the right time.
    package static func set(_ file: String, ahead seconds: Int) throws {
        try FileStore.replace(file, with: Array((offset(seconds) + "\n").utf8))
    }

    private static func offset(_ seconds: Int) -> String { "\(seconds < 0 ? "" : "+")\(seconds)" }

    private static func preloaded(_ more: [String: String]) -> [String: String] {
        more.merging(["LD_PRELOAD": library ?? "", "FAKETIME_DONT_FAKE_MONOTONIC": "1"]) { $1 }
    }
}
