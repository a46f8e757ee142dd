import LiveKit
import Testing

/// The rules of the Specification, *Lives*, for participants and tracks. `LivesTests` has them for rooms.
@Suite struct LivesInsideTests {
    private let office = Room.named("office", sid: "RM_1", start: 0)

    private func anna(_ joined: Int64? = nil, _ sid: String = "PA_1") -> Participant {
        .person(sid, "1", joined: joined)
    }

    private func camera(_ version: Int64? = nil) -> Track {
        Track(
            sid: "TR_1", source: .camera, type: .video, version: version.map { TrackVersion(unixMicro: $0, ticks: 0) })
    }

    // MARK: Participants

    @Test(arguments: LivesFixture.Subject.allCases)
    func `a participant SID that joined later than it left lives again`(_ subject: LivesFixture.Subject) {
        var fixture = LivesFixture(subject)
        fixture.receive(.participantJoined(anna(1)), in: office, at: 1)
        fixture.receive(.participantLeft(anna(1)), in: office, at: 5)
        fixture.receive(.participantJoined(anna(7)), in: office, at: 7)
        fixture.expect(open: [1, 1, 0])
        fixture.expect(counted: [0, 0, 2, 0])
        fixture.receive(.participantLeft(anna(1)), in: office, at: 6, received: 8)
        fixture.expect(open: [1, 1, 0])
        fixture.receive(.participantLeft(anna(7)), in: office, at: 9)
        fixture.expect(open: [1, 0, 0])
        fixture.expect(observed: [0, 0, 2, 6])
        #expect(fixture.figures.rows.map(\.took_ms) == [2_000, 4_000])
    }

    @Test(arguments: LivesFixture.Subject.allCases)
    func `a join in the second of its own end is the old one`(_ subject: LivesFixture.Subject) {
        var fixture = LivesFixture(subject)
        fixture.receive(.participantJoined(anna(1)), in: office, at: 1)
        fixture.receive(.participantLeft(anna(1)), in: office, at: 5)
        fixture.receive(.participantJoined(anna(5)), in: office, at: 5)
        fixture.expect(open: [1, 0, 0])
        fixture.expect(counted: [0, 0, 1, 0])
    }

    @Test(arguments: LivesFixture.Subject.allCases)
    func `a participant joins and leaves once in each of its lives, whatever comes again`(
        _ subject: LivesFixture.Subject
    ) {
        var fixture = LivesFixture(subject)
        fixture.receive(.participantLeft(anna(1)), in: office, at: 5)
        for second: Int64 in 6...7 {
            fixture.receive(.participantJoined(anna(1)), in: office, at: 1, received: Double(second))
            fixture.receive(.participantLeft(anna(1)), in: office, at: second)
        }
        fixture.expect(open: [1, 0, 0])
        fixture.expect(counted: [0, 0, 1, 0])
        fixture.expect(observed: [0, 0, 1, 4])
    }

    @Test(arguments: LivesFixture.Subject.allCases)
    func `the older session of an identity is closed unobserved, and its own left still counts`(
        _ subject: LivesFixture.Subject
    ) {
        var fixture = LivesFixture(subject)
        fixture.receive(.participantJoined(anna(1)), in: office, at: 1)
        fixture.receive(.participantJoined(anna(3, "PA_2")), in: office, at: 4)
        fixture.expect(open: [1, 1, 0])
        fixture.expect(observed: [0, 0, 0, 0])
        fixture.receive(.participantLeft(anna(1)), in: office, at: 5)
        fixture.expect(open: [1, 1, 0])
        fixture.expect(counted: [0, 0, 2, 0])
        fixture.expect(observed: [0, 0, 1, 4])
        // It ended at 4, then at 5: only a join after that is a new life, which ends the other one.
        fixture.receive(.participantJoined(anna(5)), in: office, at: 6)
        fixture.expect(counted: [0, 0, 2, 0])
        fixture.receive(.participantJoined(anna(7)), in: office, at: 8)
        fixture.expect(open: [1, 1, 0])
        fixture.expect(counted: [0, 0, 3, 0])
    }

    @Test(arguments: LivesFixture.Subject.allCases)
    func `an aborted connection is dropped, unobserved`(_ subject: LivesFixture.Subject) {
        var fixture = LivesFixture(subject)
        fixture.receive(.participantJoined(anna(1)), in: office, at: 1)
        fixture.receive(.trackPublished(camera(), by: anna()), at: 2)
        fixture.receive(.participantConnectionAborted(anna(1)), in: office, at: 3)
        fixture.expect(open: [1, 0, 0])
        fixture.expect(counted: [0, 0, 1, 1])
        fixture.expect(observed: [0, 0, 0, 0])
    }

    // MARK: Tracks

    @Test(arguments: LivesFixture.Subject.allCases, [5, 30] as [Int64])
    func `a track SID that is published again with a later version lives again`(
        _ subject: LivesFixture.Subject, _ again: Int64
    ) {
        var fixture = LivesFixture(subject)
        fixture.receive(.participantJoined(anna(1)), in: office, at: 1)
        fixture.receive(.trackPublished(camera(1), by: anna()), at: 2)
        fixture.receive(.trackUnpublished(camera(1), by: anna()), at: 5)
        fixture.expect(open: [1, 1, 0])
        fixture.receive(.trackPublished(camera(2), by: anna()), at: again)
        fixture.expect(open: [1, 1, 1])
        fixture.expect(counted: [0, 0, 1, 2])
        fixture.receive(.trackPublished(camera(1), by: anna()), at: 2, received: 31)
        fixture.expect(open: [1, 1, 1])
        fixture.receive(.trackUnpublished(camera(2), by: anna()), at: 32)
        fixture.receive(.trackPublished(camera(1), by: anna()), at: 2, received: 33)
        fixture.receive(.trackPublished(camera(2), by: anna()), at: again, received: 34)
        fixture.expect(open: [1, 1, 0])
        fixture.expect(counted: [0, 0, 1, 2])
    }

    @Test(arguments: LivesFixture.Subject.allCases)
    func `without a version the time decides, and within a second the order`(_ subject: LivesFixture.Subject) {
        var fixture = LivesFixture(subject)
        fixture.receive(.trackPublished(camera(), by: anna()), at: 1)
        fixture.receive(.trackUnpublished(camera(), by: anna()), at: 5)
        fixture.receive(.trackPublished(camera(), by: anna()), at: 1, received: 6)
        fixture.expect(open: [1, 0, 0])
        fixture.expect(counted: [0, 0, 0, 1])
        fixture.receive(.trackPublished(camera(), by: anna()), at: 5, received: 7)
        fixture.expect(open: [1, 0, 1])
        fixture.expect(counted: [0, 0, 0, 2])
    }

    @Test(arguments: LivesFixture.Subject.allCases)
    func `a version decides against the time`(_ subject: LivesFixture.Subject) {
        var fixture = LivesFixture(subject)
        fixture.receive(.trackPublished(camera(1), by: anna()), at: 1)
        fixture.receive(.trackUnpublished(camera(1), by: anna()), at: 6)
        fixture.receive(.trackPublished(camera(2), by: anna()), at: 5, received: 7)
        fixture.expect(open: [1, 0, 1])
        fixture.expect(counted: [0, 0, 0, 2])
        fixture.receive(.trackUnpublished(camera(1), by: anna()), at: 8)
        fixture.expect(open: [1, 0, 1])
    }

    @Test(arguments: LivesFixture.Subject.allCases)
    func `a track that was published before its participant left is counted and opens nothing`(
        _ subject: LivesFixture.Subject
    ) {
        var fixture = LivesFixture(subject)
        fixture.receive(.participantJoined(anna(1)), in: office, at: 1)
        fixture.receive(.participantLeft(anna(1)), in: office, at: 5)
        fixture.receive(.trackPublished(camera(), by: anna()), at: 4, received: 6)
        fixture.expect(open: [1, 0, 0])
        fixture.expect(counted: [0, 0, 1, 1])
    }

    @Test(arguments: LivesFixture.Subject.allCases)
    func `a track whose participant left has ended with it, and lives again in its next life`(
        _ subject: LivesFixture.Subject
    ) {
        var fixture = LivesFixture(subject)
        fixture.receive(.participantJoined(anna(1)), in: office, at: 1)
        fixture.receive(.trackPublished(camera(), by: anna()), at: 2)
        fixture.receive(.participantLeft(anna(1)), in: office, at: 5)
        fixture.receive(.trackPublished(camera(), by: anna()), at: 2, received: 6)
        fixture.expect(open: [1, 0, 0])
        fixture.expect(counted: [0, 0, 1, 1])
        fixture.receive(.participantJoined(anna(7)), in: office, at: 7)
        fixture.receive(.trackPublished(camera(), by: anna()), at: 8)
        fixture.expect(open: [1, 1, 1])
        fixture.expect(counted: [0, 0, 2, 2])
    }
}
