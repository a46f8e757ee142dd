import LiveKit
import Recording
import Storage
import Testing

@Suite struct ReportTests {
    private let day: Int64 = 86_400

    @Test func `reports set gauges, and a known organization that is absent gets zero`() {
        var desk = Desk()
        desk.receive(.roomStarted, at: 0)
        desk.report(.activity(.week, ["acme": .init(uniqueUsers: 3, online_seconds: 90.5)]), at: 1)
        desk.report(.activity(.month, ["globex": .init(uniqueUsers: 5, online_seconds: 50)]), at: 1)
        #expect(desk[#"lk_unique_participants{window="7d"}"#] == 3)
        #expect(desk[#"lk_participant_total_online_seconds{window="7d"}"#] == 90.5)
        #expect(desk[#"lk_unique_participants{window="30d"}"#] == 0)
        #expect(desk[#"lk_unique_participants{org_id="globex",window="30d"}"#] == 5)
        for window in Report.Window.allCases {
            desk.report(.recordings(window, ["acme": .init(completed: 2, duration_seconds: 60)]), at: 2)
        }
        #expect(desk.names("lk_egress_completed{window").count == 3)
        #expect(desk[#"lk_egress_total_duration_seconds{org_id="globex",window="1d"}"#] == 0)
        desk.report(.presence(["acme": 4]), at: 3)
        #expect(desk["lk_participants_connected"] == 4)
        desk.report(.presence([:]), at: 4)
        #expect(desk["lk_participants_connected"] == 0)
        // A window that is not in the contract.
        desk.report(.activity(.day, ["acme": .init(uniqueUsers: 3, online_seconds: 90)]), at: 5)
        #expect(!desk.names("lk_unique_participants").contains { $0.contains("1d") })
    }

    @Test func `nothing is reported of unknown, and licences alone show nobody`() {
        var desk = Desk(.test(.metadata))
        desk.receive(.roomStarted, at: 0)
        desk.report(.licenses([Organization(id: "globex", name: "Globex", recordingLimit_minutes: 10)]), at: 1)
        desk.report(.presence([:]), at: 1)
        #expect(desk.names("lk_org_info").isEmpty)
        #expect(desk.names("lk_participants_connected").isEmpty)
        #expect(desk.names("lk_org_recording").isEmpty)
        desk.report(.recent(["globex"]), at: 2)
        #expect(desk.names("lk_org_info") == [#"lk_org_info{org_id="globex",org_name="Globex"}"#])
        #expect(desk[#"lk_org_recording_limit_minutes{org_id="globex"}"#] == 10)
    }

    @Test func `licences change limits and names of those that are known`() {
        var desk = Desk()
        desk.receive(.roomStarted, at: 0)
        desk.report(.licenses([Organization(id: "acme", name: "Acme Ltd", recordingLimit_minutes: 600)]), at: 1)
        #expect(desk.names("lk_org_info") == [#"lk_org_info{org_id="acme",org_name="Acme Ltd"}"#])
        #expect(desk["lk_org_recording_limit_minutes"] == 600)
    }

    @Test func `database gauges live while there is a recent row or an open entity`() {
        var desk = Desk()
        desk.receive(.roomStarted, at: 0)
        desk.report(.licenses([Organization(id: "acme", name: "Acme", recordingLimit_minutes: 600)]), at: 1)
        desk.report(.activity(.week, [:]), at: 1)
        desk.report(.presence([:]), at: 1)
        desk.report(.recent([]), at: 200)
        #expect(desk[#"lk_unique_participants{window="7d"}"#] == 0)
        desk.receive(.roomFinished, at: 300)
        desk.report(.recent(["acme"]), at: 600)
        #expect(desk["lk_participants_connected"] == 0)
        desk.report(.recent([]), at: 900)
        #expect(desk.names("lk_unique").isEmpty)
        #expect(desk.names("lk_participants_connected").isEmpty)
        #expect(desk.names("lk_org").isEmpty)
        #expect(desk["lk_rooms_started_total"] == 1)
        // And it comes back with the next event.
        desk.receive(.roomStarted, in: .named("b", sid: "RM_2"), at: 1_000)
        #expect(desk["lk_org_recording_limit_minutes"] == 600)
        #expect(desk.names("lk_org_info") == [#"lk_org_info{org_id="acme",org_name="Acme"}"#])
    }

    @Test func `a row that is on its way keeps what is shown`() {
        var desk = Desk()
        desk.receive(.roomStarted, at: 0)
        desk.receive(.roomFinished, at: 100)
        desk.report(.recent([]), at: 101)
        #expect(desk.names("lk_org_info").count == 1)
    }
}
