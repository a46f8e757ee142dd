import LiveKit
import Platform

/// The keys with which `lkpush simulate` signs. `lkpush serve` reads the same keys from the same environment.
struct SimulationKeys {
    /// The environment with key and secret in it, even if they come from files.
    let environment: [String: String]
    private let keys: LiveKitKeys
    private let problems: [String]

    init(_ given: [String: String]) {
        var reader = SettingsReader(given)
        let keys = LiveKitKeys(&reader)
        var environment = given
        // A failure to read is among the problems of the reader.
        if reader.problems.isEmpty, let first = try? keys.read().first {
            environment["LIVEKIT_API_KEY"] = first.key
            environment["LIVEKIT_API_SECRET"] = first.secret.exposed
        }
        self.environment = environment
        self.keys = keys
        problems = reader.problems
    }

    /// The reason why the keys of the environment cannot be used. Nil if the command works without them, or reports it
    /// itself.
    func problem(given flags: [String]) -> String? {
        let isFree = flags.contains { flag in
            ["--help", "-h", "--key", "--secret"].contains { flag == $0 || flag.hasPrefix($0 + "=") }
        }
        let isGiven = ["LIVEKIT_API_SECRET_FILE", "LIVEKIT_KEYS_FILE"].contains { environment[$0]?.isEmpty == false }
        return isFree || !isGiven || problems.isEmpty ? nil : problems.joined(separator: "; ")
    }

    /// The signer for the current content of the files. Nil if they cannot be read: then the simulator keeps its
    /// signer.
    var newestSigner: TokenSigner? {
        // A file that is half written gives nil: the simulator asks again soon.
        keys.isInFile ? try? keys.read().first?.signer : nil
    }
}
