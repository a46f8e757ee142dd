import Exporter
import Platform
import TestSupport
import Testing

/// The whole program on free ports, with a receiver that does not answer. It declares all its metrics.
enum IdleService {
    static func environment(_ folder: TemporaryFolder) -> [String: String] {
        [
            "LIVEKIT_API_KEY": "key", "LIVEKIT_API_SECRET": "secret", "STATE_DIR": folder.path, "REGION": "eu",
            "LISTEN": "127.0.0.1:0", "METRICS_LISTEN": "127.0.0.1:0", "ENVIRONMENT": "test", "SHUTDOWN_TIMEOUT": "1s",
            // Nobody listens on this port, that of tcpmux. The declared metrics do not depend on an answer.
            "GRAFANA_PROM_REMOTE_WRITE_URL": "http://127.0.0.1:1/write", "SINGLE_SESSION": "true",
            "LIVEKIT_URL": "ws://127.0.0.1:1",
        ]
    }

    static func start(in folder: TemporaryFolder) throws -> Service {
        var reader = SettingsReader(environment(folder))
        let settings = Settings(&reader)
        #expect(reader.problems.isEmpty)
        let service = try Service(settings, log: Log(level: .error, format: .text))
        try service.start()
        return service
    }
}
