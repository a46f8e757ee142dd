import Exporter
import Glibc
import HTTPServing
import Matching
import Platform
import Storage

/// An environment file: read, understood, shown. A line `>` ends it; what follows is a command line, a word per line.
struct SettingsFuzzer: Fuzzer {
    static let name = "settings"
    private let file = "/dev/shm/lkpush-fuzz-\(getpid())"

    func run(_ bytes: [UInt8]) {
        var lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
        if let end = lines.firstIndex(where: { $0.elementsEqual(">".utf8) }) {
            commandLine(lines[(end + 1)...].map { String(decoding: $0, as: UTF8.self) })
            lines.removeSubrange(end...)
        }
        do {
            try FileStore.replace(file, with: Array(lines.joined(separator: [0x0A])))
            let environment = try EnvironmentFile.read(file, under: [:])
            require(environment.keys.allSatisfy { !$0.isEmpty }, "a variable has a name")
            settings(environment)
        } catch {
            require(!"\(error)".isEmpty, "a fault says what is wrong")
        }
    }

    private func commandLine(_ words: [String]) {
        do throws(CommandLine.CommandFault) {
            _ = try CommandLine(words)
        } catch {
            require(!error.description.isEmpty, "a misuse says what is wrong")
        }
    }

    private func settings(_ environment: [String: String]) {
        // Paths from here would be read: no fuzzer opens devices.
        let safe = environment.filter { !$0.key.hasSuffix("_FILE") || !$0.value.contains("/dev") }
        var reader = SettingsReader(safe)
        let settings = Settings(&reader)
        let shown = reader.problems + reader.rows.map(\.effective)
        let secrets = [
            "LIVEKIT_API_SECRET", "GRAFANA_API_KEY", "REMOTE_WRITE_BEARER_TOKEN", "REMOTE_WRITE_HEADERS",
            "REMOTE_WRITE_DESTINATION_EU_PASSWORD", "REMOTE_WRITE_DESTINATION_EU_BEARER_TOKEN",
            "REMOTE_WRITE_DESTINATION_EU_HEADERS",
        ]
        for secret in secrets {
            guard let value = safe[secret], value.utf8.count >= 12 else { continue }
            if safe.contains(where: { $0.key != secret && ($0.value.contains(value) || $0.key.contains(value)) }) {
                continue
            }
            if shown.contains(where: { $0.contains(value) }) { refute("\(secret) is shown") }
        }
        guard reader.problems.isEmpty else { return }
        do {
            _ = try ListenAddress(settings.listen)
            _ = try ListenAddress(settings.metricsListen)
            if settings.organizationSource == .roomName {
                let pattern = try Pattern(settings.organizationPattern)
                _ = pattern.match("acme~daily-1")
                _ = pattern.match(settings.project)
            }
            _ = try StoreDriver.location(of: settings.databaseLocation())
        } catch {
            refute("settings without a problem cannot be used: \(error)")
        }
        require(settings.liveKitKeysAreThere, "settings without a problem have keys")
        require(settings.destinations.allSatisfy { $0.url != nil }, "a destination without a problem has an address")
        require(settings.idlePushInterval >= settings.pushInterval, "the idle interval is the longer one")
    }
}

extension Settings {
    fileprivate var liveKitKeysAreThere: Bool { (try? liveKitKeys.read().isEmpty) == false }
}
