import LiveKit
import Platform
import Recording
import Storage
import Wire

/// A fixture with something of everything, for what is compared with files.
enum Sample {
    static let setup = RestorableFixture.Setup(settings: .test(.database, waitingEvents: 50))

    static func fixture() -> RestorableFixture {
        var fixture = RestorableFixture(setup)
        var random = SplitMix(seed: 5)
        for input in Day(rooms: 6, &random).troubled(&random).dropLast(20) { fixture.apply(input) }
        let now: Int64 = 40_000
        func receive(_ body: Event.Body, in room: Room, at second: Int64) {
            let event = Event(
                id: "EV_last_\(second)", createdAt: RecorderFixture.opening_s + second, room: room, body: body)
            fixture.apply(.event(event, receivedAt: RecorderFixture.time(second)))
        }
        fixture.apply(
            .report(
                .licenses([
                    Organization(id: "org1", name: "One", key: .integer(1), recordingLimit_minutes: 60),
                    Organization(id: "new", name: "New", key: .text("k"), recordingLimit_minutes: 0),
                ]), at: RecorderFixture.time(now)))
        fixture.apply(.report(.presence(["org1": 3]), at: RecorderFixture.time(now)))
        let room = Room.named("open", sid: "RM_open", start: now)
        receive(.roomStarted, in: room, at: now + 1)
        let organization = Organization(id: "org1", name: "One", key: .integer(1))
        fixture.apply(.answer(room: "open", .success(organization), at: RecorderFixture.time(now + 2)))
        let person = Participant.person("PA_open", "anna", joined: now + 3)
        receive(.participantJoined(person), in: room, at: now + 3)
        receive(
            .trackPublished(Track(sid: "TR_open", source: .camera, type: .video), by: person), in: room, at: now + 4)
        receive(.egressStarted(.job("EG_open", started: now + 5)), in: room, at: now + 5)
        receive(.ingressStarted(.stream("IS_open", started: now + 6)), in: Room(name: "open"), at: now + 6)
        receive(.roomStarted, in: .named("waiting", sid: "RM_waiting"), at: now + 7)
        return fixture
    }
}
