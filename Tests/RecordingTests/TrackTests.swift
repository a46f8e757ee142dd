import LiveKit
import Recording
import Testing

@Suite struct TrackTests {
    private let camera = #"lk_tracks_active{source="camera",type="video"}"#
    private let published = #"lk_tracks_published_total{source="camera",type="video"}"#
    private let track = Track(sid: "TR_1", source: .camera, type: .video)

    @Test func `a track is published and unpublished once`() {
        var fixture = RecorderFixture()
        fixture.receive(.participantJoined(.person("PA_1")), at: 1)
        for _ in 0..<2 { fixture.receive(.trackPublished(track, by: .person("PA_1")), in: .officeByName, at: 2) }
        #expect(fixture[camera] == 1)
        #expect(fixture[published] == 1)
        for _ in 0..<2 { fixture.receive(.trackUnpublished(track, by: .person("PA_1")), in: .officeByName, at: 3) }
        fixture.receive(.trackPublished(track, by: .person("PA_1")), in: .officeByName, at: 2, received: 4)
        #expect(fixture[camera] == 0)
        #expect(fixture[published] == 1)
    }

    @Test func `an unpublish that overtakes its publish leaves nothing open`() {
        var fixture = RecorderFixture()
        fixture.receive(.trackUnpublished(track, by: .person("PA_1")), in: .officeByName, at: 3)
        fixture.receive(.trackPublished(track, by: .person("PA_1")), in: .officeByName, at: 2, received: 4)
        #expect(fixture[published] == 1)
        #expect((fixture[camera] ?? 0) == 0)
    }

    @Test func `a participant that joins after its tracks keeps them`() {
        var fixture = RecorderFixture()
        fixture.receive(.trackPublished(track, by: .person("PA_1")), in: .officeByName, at: 2)
        fixture.receive(.participantJoined(.person("PA_1")), at: 1, received: 3)
        #expect(fixture[camera] == 1)
        #expect(fixture["lk_participants_active"] == 1)
        fixture.receive(.trackUnpublished(track, by: .person("PA_1")), in: .officeByName, at: 4)
        #expect(fixture["lk_participants_active"] == 1)
        fixture.receive(.participantLeft(.person("PA_1", joined: 1)), at: 5)
        #expect(fixture["lk_participants_active"] == 0)
    }

    @Test func `every source and type has its own series`() {
        var fixture = RecorderFixture()
        for (number, source) in Track.Source.allCases.enumerated() {
            for type in Track.Medium.allCases {
                let track = Track(sid: "TR_\(number)_\(type)", source: source, type: type)
                fixture.receive(.trackPublished(track, by: .person("PA_1")), in: .officeByName, at: 1)
                #expect(fixture["lk_tracks_active{source=\"\(source.rawValue)\",type=\"\(type.rawValue)\"}"] == 1)
            }
        }
        #expect(fixture.names("lk_tracks_active").count == 15)
        fixture.receive(.roomFinished, at: 2)
        #expect(fixture.series.filter { $0.key.hasPrefix("lk_tracks_active") }.allSatisfy { $0.value == 0 })
    }

    @Test func `a track of a room that ended is counted and not opened, twice is once`() {
        var fixture = RecorderFixture()
        fixture.receive(.trackPublished(track, by: .person("PA_1")), in: .officeByName, at: 1)
        fixture.receive(.roomFinished, at: 2)
        fixture.receive(.trackPublished(track, by: .person("PA_1")), in: .officeByName, at: 1, received: 3)
        let late = Track(sid: "TR_2", source: .camera, type: .video)
        for _ in 0..<2 {
            fixture.receive(.trackPublished(late, by: .person("PA_9")), in: .officeByName, at: 1, received: 3)
        }
        #expect(fixture[published] == 2)
        #expect(fixture[camera] == 0)
    }
}
