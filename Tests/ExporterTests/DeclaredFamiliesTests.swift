import Exporter
import Metrics
import Platform
import TestSupport
import Testing

@Suite struct DeclaredFamiliesTests {
    @Test func `the names without a start are those after one`() throws {
        let folder = TemporaryFolder()
        var reader = SettingsReader(IdleService.environment(folder))
        let settings = Settings(&reader)
        let names = try DeclaredFamilies.names(settings, log: Log(level: .error, format: .text))
        let service = try IdleService.start(in: folder)
        defer { _ = service.stop() }
        #expect(names == service.registry.descriptors.map(\.name))
        #expect(names.contains("lkpush_sessions_replaced_total") && names.contains("lkpush_http_connections"))
    }
}
