import Testing

@testable import Exporter

@Suite struct LookupPaceTests {
    @Test func `a quick database is asked for more rooms at once, a slow one for fewer`() {
        var pace = LookupPace()
        for _ in 0..<10 { pace.note(took: .milliseconds(20)) }
        #expect(pace.count == StoreSettings.Limits.lookupsInBatch)
        var counts: [Int] = []
        for _ in 0..<10 {
            pace.note(took: .seconds(8))
            counts.append(pace.count)
        }
        #expect(counts == [128, 64, 32, 16, 8, 4, 2, 1, 1, 1])
        pace.note(took: .milliseconds(250))
        #expect(pace.count == 2)
    }
}
