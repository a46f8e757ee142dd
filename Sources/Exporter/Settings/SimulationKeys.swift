import LiveKit
import Platform

/// What `lkpush simulate` signs with: the keys that `lkpush serve` reads from the same environment.
struct SimulationKeys {
    /// The environment with key and secret in it, wherever they come from.
    let environment: [String: String]
    private let keys: LiveKitKeys
    private let problems: [String]

    init(_ given: [String: String]) {
        var reader = SettingsReader(given)
        let keys = LiveKitKeys(&reader)
        var environment = given
        // What cannot be read is among the problems.
        if reader.problems.isEmpty, let first = try? keys.read().first {
            environment["LIVEKIT_API_KEY"] = first.key
            environment["LIVEKIT_API_SECRET"] = first.secret.exposed
        }
        self.environment = environment
        self.keys = keys
        problems = reader.problems
    }

    /// Why the keys of the environment cannot be used; nil where the command can do without, or says it itself.
    func problem(given flags: [String]) -> String? {
        let isFree = flags.contains { flag in
            ["--help", "-h", "--key", "--secret"].contains { flag == $0 || flag.hasPrefix($0 + "=") }
        }
        let isGiven = ["LIVEKIT_API_SECRET_FILE", "LIVEKIT_KEYS_FILE"].contains { environment[$0]?.isEmpty == false }
        return isFree || !isGiven || problems.isEmpty ? nil : problems.joined(separator: "; ")
    }

    /// As the files are now; nil where they cannot be read: the simulator goes on as before.
    var newestSigner: TokenSigner? {
        // Half a file is no news; the next look comes soon.
        keys.isInFile ? try? keys.read().first?.signer : nil
    }
}
