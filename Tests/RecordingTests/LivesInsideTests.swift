import LiveKit
import Testing

/// SPEC 3, *Lives*, for participants and tracks, as `LivesTests` has it for rooms.
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

    @Test(arguments: LivesDesk.Subject.allCases)
    func `a participant SID that joined later than it left lives again`(_ subject: LivesDesk.Subject) {
        var desk = LivesDesk(subject)
        desk.receive(.participantJoined(anna(1)), in: office, at: 1)
        desk.receive(.participantLeft(anna(1)), in: office, at: 5)
        desk.receive(.participantJoined(anna(7)), in: office, at: 7)
        desk.expect(open: [1, 1, 0])
        desk.expect(counted: [0, 0, 2, 0])
        desk.receive(.participantLeft(anna(1)), in: office, at: 6, received: 8)
        desk.expect(open: [1, 1, 0])
        desk.receive(.participantLeft(anna(7)), in: office, at: 9)
        desk.expect(open: [1, 0, 0])
        desk.expect(observed: [0, 0, 2, 6])
        #expect(desk.figures.rows.map(\.took_ms) == [2_000, 4_000])
    }

    @Test(arguments: LivesDesk.Subject.allCases)
    func `a join in the second of its own end is the old one`(_ subject: LivesDesk.Subject) {
        var desk = LivesDesk(subject)
        desk.receive(.participantJoined(anna(1)), in: office, at: 1)
        desk.receive(.participantLeft(anna(1)), in: office, at: 5)
        desk.receive(.participantJoined(anna(5)), in: office, at: 5)
        desk.expect(open: [1, 0, 0])
        desk.expect(counted: [0, 0, 1, 0])
    }

    @Test(arguments: LivesDesk.Subject.allCases)
    func `a participant joins and leaves once in each of its lives, whatever comes again`(
        _ subject: LivesDesk.Subject
    ) {
        var desk = LivesDesk(subject)
        desk.receive(.participantLeft(anna(1)), in: office, at: 5)
        for second: Int64 in 6...7 {
            desk.receive(.participantJoined(anna(1)), in: office, at: 1, received: Double(second))
            desk.receive(.participantLeft(anna(1)), in: office, at: second)
        }
        desk.expect(open: [1, 0, 0])
        desk.expect(counted: [0, 0, 1, 0])
        desk.expect(observed: [0, 0, 1, 4])
    }

    @Test(arguments: LivesDesk.Subject.allCases)
    func `the older session of an identity is closed unobserved, and its own left still counts`(
        _ subject: LivesDesk.Subject
    ) {
        var desk = LivesDesk(subject)
        desk.receive(.participantJoined(anna(1)), in: office, at: 1)
        desk.receive(.participantJoined(anna(3, "PA_2")), in: office, at: 4)
        desk.expect(open: [1, 1, 0])
        desk.expect(observed: [0, 0, 0, 0])
        desk.receive(.participantLeft(anna(1)), in: office, at: 5)
        desk.expect(open: [1, 1, 0])
        desk.expect(counted: [0, 0, 2, 0])
        desk.expect(observed: [0, 0, 1, 4])
        // It ended at 4, then at 5: only a join after that is a new life, which ends the other one.
        desk.receive(.participantJoined(anna(5)), in: office, at: 6)
        desk.expect(counted: [0, 0, 2, 0])
        desk.receive(.participantJoined(anna(7)), in: office, at: 8)
        desk.expect(open: [1, 1, 0])
        desk.expect(counted: [0, 0, 3, 0])
    }

    @Test(arguments: LivesDesk.Subject.allCases)
    func `an aborted connection is dropped, unobserved`(_ subject: LivesDesk.Subject) {
        var desk = LivesDesk(subject)
        desk.receive(.participantJoined(anna(1)), in: office, at: 1)
        desk.receive(.trackPublished(camera(), by: anna()), at: 2)
        desk.receive(.participantConnectionAborted(anna(1)), in: office, at: 3)
        desk.expect(open: [1, 0, 0])
        desk.expect(counted: [0, 0, 1, 1])
        desk.expect(observed: [0, 0, 0, 0])
    }

    // MARK: Tracks

    @Test(arguments: LivesDesk.Subject.allCases, [5, 30] as [Int64])
    func `a track SID that is published again with a later version lives again`(
        _ subject: LivesDesk.Subject, _ again: Int64
    ) {
        var desk = LivesDesk(subject)
        desk.receive(.participantJoined(anna(1)), in: office, at: 1)
        desk.receive(.trackPublished(camera(1), by: anna()), at: 2)
        desk.receive(.trackUnpublished(camera(1), by: anna()), at: 5)
        desk.expect(open: [1, 1, 0])
        desk.receive(.trackPublished(camera(2), by: anna()), at: again)
        desk.expect(open: [1, 1, 1])
        desk.expect(counted: [0, 0, 1, 2])
        desk.receive(.trackPublished(camera(1), by: anna()), at: 2, received: 31)
        desk.expect(open: [1, 1, 1])
        desk.receive(.trackUnpublished(camera(2), by: anna()), at: 32)
        desk.receive(.trackPublished(camera(1), by: anna()), at: 2, received: 33)
        desk.receive(.trackPublished(camera(2), by: anna()), at: again, received: 34)
        desk.expect(open: [1, 1, 0])
        desk.expect(counted: [0, 0, 1, 2])
    }

    @Test(arguments: LivesDesk.Subject.allCases)
    func `without a version the time decides, and within a second the order`(_ subject: LivesDesk.Subject) {
        var desk = LivesDesk(subject)
        desk.receive(.trackPublished(camera(), by: anna()), at: 1)
        desk.receive(.trackUnpublished(camera(), by: anna()), at: 5)
        desk.receive(.trackPublished(camera(), by: anna()), at: 1, received: 6)
        desk.expect(open: [1, 0, 0])
        desk.expect(counted: [0, 0, 0, 1])
        desk.receive(.trackPublished(camera(), by: anna()), at: 5, received: 7)
        desk.expect(open: [1, 0, 1])
        desk.expect(counted: [0, 0, 0, 2])
    }

    @Test(arguments: LivesDesk.Subject.allCases)
    func `a version decides against the time`(_ subject: LivesDesk.Subject) {
        var desk = LivesDesk(subject)
        desk.receive(.trackPublished(camera(1), by: anna()), at: 1)
        desk.receive(.trackUnpublished(camera(1), by: anna()), at: 6)
        desk.receive(.trackPublished(camera(2), by: anna()), at: 5, received: 7)
        desk.expect(open: [1, 0, 1])
        desk.expect(counted: [0, 0, 0, 2])
        desk.receive(.trackUnpublished(camera(1), by: anna()), at: 8)
        desk.expect(open: [1, 0, 1])
    }

    @Test(arguments: LivesDesk.Subject.allCases)
    func `a track that was published before its participant left is counted and opens nothing`(
        _ subject: LivesDesk.Subject
    ) {
        var desk = LivesDesk(subject)
        desk.receive(.participantJoined(anna(1)), in: office, at: 1)
        desk.receive(.participantLeft(anna(1)), in: office, at: 5)
        desk.receive(.trackPublished(camera(), by: anna()), at: 4, received: 6)
        desk.expect(open: [1, 0, 0])
        desk.expect(counted: [0, 0, 1, 1])
    }

    @Test(arguments: LivesDesk.Subject.allCases)
    func `a track whose participant left has ended with it, and lives again in its next life`(
        _ subject: LivesDesk.Subject
    ) {
        var desk = LivesDesk(subject)
        desk.receive(.participantJoined(anna(1)), in: office, at: 1)
        desk.receive(.trackPublished(camera(), by: anna()), at: 2)
        desk.receive(.participantLeft(anna(1)), in: office, at: 5)
        desk.receive(.trackPublished(camera(), by: anna()), at: 2, received: 6)
        desk.expect(open: [1, 0, 0])
        desk.expect(counted: [0, 0, 1, 1])
        desk.receive(.participantJoined(anna(7)), in: office, at: 7)
        desk.receive(.trackPublished(camera(), by: anna()), at: 8)
        desk.expect(open: [1, 1, 1])
        desk.expect(counted: [0, 0, 2, 2])
    }
}
