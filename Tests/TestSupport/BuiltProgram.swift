import Glibc

/// The built program, and the environment that tests give it.
package enum BuiltProgram {
    /// Its path, beside the test bundle.
    package static let executable: String = {
        guard let path = realpath("/proc/self/exe", nil) else { return "" }
        defer { free(path) }
        return String(cString: path).split(separator: "/").dropLast().map { "/\($0)" }.joined() + "/lkpush"
    }()

    package static let key = "APIqubitalTest"
    package static let secret = "secret-for-tests-only-0123456789abcdef"

    /// The variables of a run on free ports, with its state in a folder.
    package static func environment(_ folder: TemporaryFolder) -> [String: String] {
        [
            "PATH": "/usr/bin:/bin", "LIVEKIT_API_KEY": key, "LIVEKIT_API_SECRET": secret, "LISTEN": "127.0.0.1:0",
            "METRICS_LISTEN": "127.0.0.1:0", "STATE_DIR": folder.file("state"), "REGION": "here",
            "ENVIRONMENT": "test", "INSTANCE": "exporter-1", "LOG_LEVEL": "debug", "no_proxy": "127.0.0.1",
            // A stop in good order may take any time: it must not be cut off.
            "SHUTDOWN_TIMEOUT": Waits.setting,
        ]
    }
}
