import LiveKit
import Testing

/// The rules of the Specification, *Lives*, one after the other, for the recorder and for the plain model that it is
/// compared with.
@Suite struct LivesTests {
    /// The payload tells when the stored room was made: a new life does not change it.
    private let office = Room.named("office", sid: "RM_1", start: 0)

    private func anna(_ joined: Int64? = nil, _ sid: String = "PA_1") -> Participant {
        .person(sid, "1", joined: joined)
    }

    private func bert(_ joined: Int64? = nil) -> Participant { .person("PA_2", "2", joined: joined) }

    private func camera(_ version: Int64? = nil) -> Track {
        Track(
            sid: "TR_1", source: .camera, type: .video, version: version.map { TrackVersion(unixMicro: $0, ticks: 0) })
    }

    // MARK: Rooms

    @Test(arguments: LivesFixture.Subject.allCases)
    func `a room SID that starts again after its end lives again`(_ subject: LivesFixture.Subject) {
        var fixture = LivesFixture(subject)
        fixture.receive(.roomStarted, in: office, at: 0)
        fixture.receive(.roomFinished, in: office, at: 600)
        fixture.receive(.roomStarted, in: office, at: 603)
        fixture.receive(.participantJoined(bert(605)), in: office, at: 606)
        fixture.receive(.trackPublished(camera(), by: bert()), at: 607)
        fixture.expect(open: [1, 1, 1])
        fixture.expect(counted: [2, 1, 1, 1])
        fixture.receive(.roomFinished, in: office, at: 660)
        fixture.expect(open: [0, 0, 0])
        fixture.expect(counted: [2, 2, 1, 1])
        // The second life lasted from 603 to 660, although the stored room is older.
        fixture.expect(observed: [2, 657, 1, 55])
        #expect(fixture.figures.rows == [LivesFigures.Session(user: 2, took_ms: 55_000)])
    }

    @Test(arguments: LivesFixture.Subject.allCases)
    func `a start that began before its own end is counted and opens nothing`(_ subject: LivesFixture.Subject) {
        var fixture = LivesFixture(subject)
        fixture.receive(.roomFinished, in: office, at: 5)
        fixture.receive(.roomStarted, in: office, at: 1, received: 6)
        fixture.receive(.roomStarted, in: office, at: 1, received: 7)
        fixture.expect(open: [0, 0, 0])
        fixture.expect(counted: [1, 1, 0, 0])
    }

    @Test(arguments: LivesFixture.Subject.allCases)
    func `within one second the start that comes after the end is a new life`(_ subject: LivesFixture.Subject) {
        var fixture = LivesFixture(subject)
        fixture.receive(.roomStarted, in: office, at: 0)
        fixture.receive(.roomFinished, in: office, at: 5)
        fixture.receive(.roomStarted, in: office, at: 5)
        fixture.expect(open: [1, 0, 0])
        fixture.expect(counted: [2, 1, 0, 0])
    }

    @Test(arguments: LivesFixture.Subject.allCases)
    func `a room's end that comes after its next start closes only what began before it`(
        _ subject: LivesFixture.Subject
    ) {
        var fixture = LivesFixture(subject)
        fixture.receive(.roomStarted, in: office, at: 0)
        fixture.receive(.participantJoined(anna(1)), in: office, at: 1)
        fixture.receive(.participantJoined(bert(7)), in: office, at: 7)
        fixture.receive(.trackPublished(camera(), by: bert()), at: 8)
        fixture.receive(.roomFinished, in: office, at: 5, received: 9)
        fixture.expect(open: [1, 1, 1])
        // The next life's start counts now, and not again when it comes.
        fixture.expect(counted: [2, 1, 2, 1])
        fixture.expect(observed: [1, 5, 1, 4])
        fixture.receive(.roomStarted, in: office, at: 7, received: 10)
        fixture.expect(open: [1, 1, 1])
        fixture.expect(counted: [2, 1, 2, 1])
        fixture.receive(.roomFinished, in: office, at: 20)
        fixture.expect(open: [0, 0, 0])
        fixture.expect(observed: [2, 18, 2, 17])
    }

    @Test(arguments: LivesFixture.Subject.allCases)
    func `a start that is later than the end keeps the room open`(_ subject: LivesFixture.Subject) {
        var fixture = LivesFixture(subject)
        fixture.receive(.roomStarted, in: office, at: 0)
        fixture.receive(.roomStarted, in: office, at: 10)
        fixture.receive(.roomFinished, in: office, at: 5, received: 11)
        fixture.expect(open: [1, 0, 0])
        fixture.expect(counted: [2, 1, 0, 0])
        fixture.receive(.roomFinished, in: office, at: 30)
        fixture.expect(counted: [2, 2, 0, 0])
        fixture.expect(observed: [2, 25, 0, 0])
    }

    @Test(arguments: LivesFixture.Subject.allCases)
    func `an end that was created before the open life is the earlier life's`(_ subject: LivesFixture.Subject) {
        var fixture = LivesFixture(subject)
        fixture.receive(.roomStarted, in: office, at: 0)
        fixture.receive(.roomFinished, in: office, at: 5)
        fixture.receive(.roomStarted, in: office, at: 8)
        fixture.receive(.roomFinished, in: office, at: 6, received: 9)
        fixture.expect(open: [1, 0, 0])
        fixture.expect(counted: [2, 1, 0, 0])
    }

    @Test(arguments: LivesFixture.Subject.allCases)
    func `an end that finds nothing open moves the remembered end, and begins no life`(
        _ subject: LivesFixture.Subject
    ) {
        var fixture = LivesFixture(subject)
        fixture.receive(.roomStarted, in: office, at: 0)
        fixture.receive(.roomFinished, in: office, at: 5)
        fixture.receive(.roomFinished, in: office, at: 9)
        fixture.receive(.roomStarted, in: office, at: 7, received: 10)
        fixture.expect(open: [0, 0, 0])
        fixture.expect(counted: [1, 1, 0, 0])
        fixture.receive(.roomStarted, in: office, at: 11)
        fixture.expect(open: [1, 0, 0])
        fixture.expect(counted: [2, 1, 0, 0])
    }

    @Test(arguments: LivesFixture.Subject.allCases)
    func `an end that is told later than it is received ended when it was received`(_ subject: LivesFixture.Subject) {
        var fixture = LivesFixture(subject)
        fixture.receive(.roomStarted, in: office, at: 0)
        fixture.receive(.roomFinished, in: office, at: 90, received: 5)
        fixture.receive(.roomStarted, in: office, at: 7)
        fixture.expect(open: [1, 0, 0])
        fixture.expect(counted: [2, 1, 0, 0])
    }

    // MARK: Rooms by what is in them

    @Test(arguments: LivesFixture.Subject.allCases)
    func `a participant that joined after its room's end opens the room again, and the start counts when it comes`(
        _ subject: LivesFixture.Subject
    ) {
        var fixture = LivesFixture(subject)
        fixture.receive(.roomStarted, in: office, at: 0)
        fixture.receive(.roomFinished, in: office, at: 5)
        fixture.receive(.participantJoined(anna(7)), in: office, at: 8)
        fixture.expect(open: [1, 1, 0])
        fixture.expect(counted: [1, 1, 1, 0])
        fixture.receive(.roomStarted, in: office, at: 7, received: 9)
        fixture.expect(open: [1, 1, 0])
        fixture.expect(counted: [2, 1, 1, 0])
        fixture.receive(.roomFinished, in: office, at: 17)
        fixture.expect(observed: [2, 15, 1, 10])
    }

    @Test(arguments: LivesFixture.Subject.allCases)
    func `a participant that joined before its room's end is counted and opens nothing`(
        _ subject: LivesFixture.Subject
    ) {
        var fixture = LivesFixture(subject)
        fixture.receive(.roomStarted, in: office, at: 0)
        fixture.receive(.roomFinished, in: office, at: 5)
        fixture.receive(.participantJoined(anna(3)), in: office, at: 4, received: 6)
        fixture.expect(open: [0, 0, 0])
        fixture.expect(counted: [1, 1, 1, 0])
        // Its own end was not told yet.
        fixture.receive(.participantLeft(anna(3)), in: office, at: 5, received: 7)
        fixture.expect(open: [0, 0, 0])
        fixture.expect(observed: [1, 5, 1, 2])
    }

    @Test(arguments: LivesFixture.Subject.allCases)
    func `a track that was published after its room's end opens the room again`(_ subject: LivesFixture.Subject) {
        var fixture = LivesFixture(subject)
        fixture.receive(.roomStarted, in: office, at: 0)
        fixture.receive(.roomFinished, in: office, at: 5)
        fixture.receive(.trackPublished(camera(), by: anna()), at: 4, received: 6)
        fixture.expect(open: [0, 0, 0])
        fixture.expect(counted: [1, 1, 0, 1])
        fixture.receive(.trackPublished(Track(sid: "TR_2"), by: anna()), at: 7)
        fixture.expect(open: [1, 0, 1])
        fixture.expect(counted: [1, 1, 0, 2])
        // No payload of this life tells a start: it began with that track.
        fixture.receive(.roomFinished, at: 10)
        fixture.expect(open: [0, 0, 0])
        fixture.expect(observed: [2, 8, 0, 0])
    }

    @Test(arguments: LivesFixture.Subject.allCases)
    func `what only its room's end closed returns with its next event, and its left observes nothing`(
        _ subject: LivesFixture.Subject
    ) {
        var fixture = LivesFixture(subject)
        fixture.receive(.roomStarted, in: office, at: 0)
        fixture.receive(.participantJoined(anna(1)), in: office, at: 1)
        fixture.receive(.roomFinished, in: office, at: 5)
        fixture.expect(observed: [1, 5, 1, 4])
        fixture.receive(.trackPublished(camera(), by: anna()), at: 7)
        fixture.expect(open: [1, 1, 1])
        fixture.expect(counted: [1, 1, 1, 1])
        fixture.receive(.participantLeft(anna(1)), in: office, at: 9)
        fixture.expect(open: [1, 0, 0])
        fixture.expect(observed: [1, 5, 1, 4])
    }

    @Test(arguments: LivesFixture.Subject.allCases)
    func `a left that comes after its room's end observes nothing and opens nothing`(_ subject: LivesFixture.Subject) {
        var fixture = LivesFixture(subject)
        fixture.receive(.roomStarted, in: office, at: 0)
        fixture.receive(.participantJoined(anna(1)), in: office, at: 1)
        fixture.receive(.roomFinished, in: office, at: 5)
        fixture.receive(.participantLeft(anna(1)), in: office, at: 6)
        fixture.expect(open: [0, 0, 0])
        fixture.expect(counted: [1, 1, 1, 0])
        fixture.expect(observed: [1, 5, 1, 4])
    }

    @Test(arguments: LivesFixture.Subject.allCases)
    func `a second start of one life drops, unobserved, who has been silent since`(_ subject: LivesFixture.Subject) {
        var fixture = LivesFixture(subject)
        fixture.receive(.roomStarted, in: office, at: 0)
        fixture.receive(.participantJoined(anna(1)), in: office, at: 1)
        fixture.receive(.participantJoined(bert(2)), in: office, at: 2)
        fixture.receive(.trackPublished(camera(), by: bert()), at: 8)
        fixture.receive(.roomStarted, in: office, at: 5, received: 9)
        fixture.expect(open: [1, 1, 1])
        fixture.expect(counted: [1, 0, 2, 1])
        fixture.expect(observed: [0, 0, 0, 0])
        fixture.receive(.participantLeft(anna(1)), in: office, at: 9)
        fixture.expect(observed: [0, 0, 1, 8])
    }
}
