import LiveKit
import Matching
import Platform
import Recording
import Storage
import Testing
import Wire

/// Events as nobody should send them: every field may be anything, ids are shared by whom they do not belong to, and
/// the clock jumps.
@Suite struct HostileTests {
    static let seeds: [UInt64] = Array(1...40)

    @Test(arguments: seeds)
    func `whatever the events hold and the clock does, the state is sound and no gauge is negative`(
        seed: UInt64
    ) throws {
        var random = SplitMix(seed: seed)
        let sources: [OrganizationSource] = [
            .fixed(id: "acme", name: "acme"), .roomName(try Pattern("^(?<org>[a-z]*)-?(?<name>[A-Z])?")), .metadata,
            .database,
        ]
        let source = sources[Int(seed) % sources.count]
        var fixture = RecorderFixture(.test(source, waitingEvents: [0, 1, 3, 20][Int(seed / 4) % 4]))
        var clock_ms: Int64 = 0
        for _ in 0..<1_500 {
            clock_ms += Stranger.step_ms(&random)
            fixture.apply(Stranger.input(at: RecorderFixture.time(milliseconds: clock_ms), &random))
        }
        for (name, value) in fixture.series where value < 0 { Issue.record("\(name) is \(value)") }
        // Once the clock is right again and everything is silent, nothing stays.
        for hour in Int64(1)...400 {
            fixture.apply(.time(at: RecorderFixture.time(milliseconds: clock_ms + hour * 3_600_000)))
        }
        #expect(fixture["lkpush_waiting_events"] ?? 0 == 0)
        for (name, value) in fixture.series where name.contains("_active") && value != 0 {
            Issue.record("\(name) is \(value)")
        }
    }
}
