import LiveKit
import Recording
import Storage
import Testing

@Suite struct ReportTests {
    private let day: Int64 = 86_400

    @Test func `reports set gauges, and a known organization that is absent gets zero`() {
        var fixture = RecorderFixture()
        fixture.receive(.roomStarted, at: 0)
        fixture.report(.activity(.week, ["acme": .init(uniqueUsers: 3, online_seconds: 90.5)]), at: 1)
        fixture.report(.activity(.month, ["globex": .init(uniqueUsers: 5, online_seconds: 50)]), at: 1)
        #expect(fixture[#"lk_unique_participants{window="7d"}"#] == 3)
        #expect(fixture[#"lk_participant_total_online_seconds{window="7d"}"#] == 90.5)
        #expect(fixture[#"lk_unique_participants{window="30d"}"#] == 0)
        #expect(fixture[#"lk_unique_participants{org_id="globex",window="30d"}"#] == 5)
        for window in Report.Window.allCases {
            fixture.report(.recordings(window, ["acme": .init(completed: 2, duration_seconds: 60)]), at: 2)
        }
        #expect(fixture.names("lk_egress_completed{window").count == 4)
        #expect(fixture[#"lk_egress_completed{window="month"}"#] == 2)
        #expect(fixture[#"lk_egress_total_duration_seconds{org_id="globex",window="1d"}"#] == 0)
        fixture.report(.presence(["acme": 4]), at: 3)
        #expect(fixture["lk_participants_connected"] == 4)
        fixture.report(.presence([:]), at: 4)
        #expect(fixture["lk_participants_connected"] == 0)
        // A window that is not in the contract.
        fixture.report(.activity(.day, ["acme": .init(uniqueUsers: 3, online_seconds: 90)]), at: 5)
        #expect(!fixture.names("lk_unique_participants").contains { $0.contains("1d") })
    }

    @Test func `nothing is reported of unknown, and licences alone show nobody`() {
        var fixture = RecorderFixture(.test(.metadata))
        fixture.receive(.roomStarted, at: 0)
        fixture.report(.licenses([Organization(id: "globex", name: "Globex", recordingLimit_minutes: 10)]), at: 1)
        fixture.report(.presence([:]), at: 1)
        #expect(fixture.names("lk_org_info").isEmpty)
        #expect(fixture.names("lk_participants_connected").isEmpty)
        #expect(fixture.names("lk_org_recording").isEmpty)
        fixture.report(.recent(["globex"]), at: 2)
        #expect(fixture.names("lk_org_info") == [#"lk_org_info{org_id="globex",org_name="Globex"}"#])
        #expect(fixture[#"lk_org_recording_limit_minutes{org_id="globex"}"#] == 10)
    }

    @Test func `licences change limits and names of those that are known`() {
        var fixture = RecorderFixture()
        fixture.receive(.roomStarted, at: 0)
        fixture.report(.licenses([Organization(id: "acme", name: "Acme Ltd", recordingLimit_minutes: 600)]), at: 1)
        #expect(fixture.names("lk_org_info") == [#"lk_org_info{org_id="acme",org_name="Acme Ltd"}"#])
        #expect(fixture["lk_org_recording_limit_minutes"] == 600)
    }

    @Test func `database gauges live while there is a recent row or an open entity`() {
        var fixture = RecorderFixture()
        fixture.receive(.roomStarted, at: 0)
        fixture.report(.licenses([Organization(id: "acme", name: "Acme", recordingLimit_minutes: 600)]), at: 1)
        fixture.report(.activity(.week, [:]), at: 1)
        fixture.report(.presence([:]), at: 1)
        fixture.report(.recent([]), at: 200)
        #expect(fixture[#"lk_unique_participants{window="7d"}"#] == 0)
        fixture.receive(.roomFinished, at: 300)
        fixture.report(.recent(["acme"]), at: 600)
        #expect(fixture["lk_participants_connected"] == 0)
        fixture.report(.recent([]), at: 900)
        #expect(fixture.names("lk_unique").isEmpty)
        #expect(fixture.names("lk_participants_connected").isEmpty)
        #expect(fixture.names("lk_org").isEmpty)
        #expect(fixture["lk_rooms_started_total"] == 1)
        // And it comes back with the next event.
        fixture.receive(.roomStarted, in: .named("b", sid: "RM_2"), at: 1_000)
        #expect(fixture["lk_org_recording_limit_minutes"] == 600)
        #expect(fixture.names("lk_org_info") == [#"lk_org_info{org_id="acme",org_name="Acme"}"#])
    }

    @Test func `a row that is on its way keeps what is shown`() {
        var fixture = RecorderFixture()
        fixture.receive(.roomStarted, at: 0)
        fixture.receive(.roomFinished, at: 100)
        fixture.report(.recent([]), at: 101)
        #expect(fixture.names("lk_org_info").count == 1)
    }
}
