import LiveKit
import Recording
import Testing
import Wire

/// Times of events are measured against the times of receipt and against the wall clock: a process may have begun with a
/// wrong clock, and the wall clock may be wrong for a while.
@Suite struct WallClockTests {
    private var fixture = RecorderFixture()

    private var lag: Double? { fixture["lk_webhook_delivery_lag_seconds_sum{event=\"room_started\"}"] }

    private mutating func set(ahead_s: Int64, at second: Int64) {
        fixture.apply(.clock(ahead_ms: ahead_s * 1_000, at: RecorderFixture.time(second)))
    }

    private mutating func start(_ sid: String, at second: Int64, received: Double) {
        fixture.receive(.roomStarted, in: Room(sid: sid, name: "acme.\(sid)"), at: second, received: received)
    }

    @Test mutating func `a delay is measured by the clock that is right`() {
        start("RM_1", at: 0, received: 3)
        #expect(lag == 3)
        // The wall clock is wrong for a while.
        set(ahead_s: 3 * 86_400, at: 10)
        start("RM_2", at: 10, received: 12)
        #expect(lag == 5)
        set(ahead_s: -3 * 86_400, at: 20)
        start("RM_3", at: 20, received: 22)
        #expect(lag == 7)
        // It was behind when the process began, and is set right.
        set(ahead_s: 3_600, at: 30)
        start("RM_4", at: 3_630, received: 34)
        #expect(lag == 11)
        // It was ahead.
        set(ahead_s: -3_600, at: 7_200)
        start("RM_5", at: 3_600, received: 7_201)
        #expect(lag == 12)
    }

    @Test mutating func `a process that began with a clock behind measures stays in full once it is set`() {
        set(ahead_s: 3_600, at: 0)
        fixture.receive(.participantJoined(.person("PA_1", joined: 3_600)), at: 3_600, received: 1)
        fixture.receive(.participantLeft(.person("PA_1", joined: 3_600)), at: 3_660, received: 61)
        #expect(fixture["lk_participant_lifetime_seconds_sum"] == 60)
    }

    @Test mutating func `a clock that is set ends nothing`() {
        start("RM_1", at: 0, received: 0)
        set(ahead_s: 3 * 86_400, at: 10)
        fixture.pass(to: 100)
        set(ahead_s: 0, at: 110)
        fixture.pass(to: 200)
        #expect(fixture["lk_room_active"] == 1)
        #expect(fixture["lkpush_entities_dropped_total{entity=\"room\"}"] ?? 0 == 0)
    }

    @Test(arguments: [Int64.min, .max]) mutating func `a difference that no clock has is taken`(ahead_ms: Int64) {
        fixture.apply(.clock(ahead_ms: ahead_ms, at: RecorderFixture.time(0)))
        start("RM_1", at: 0, received: 1)
        #expect(lag == 1)
    }
}
