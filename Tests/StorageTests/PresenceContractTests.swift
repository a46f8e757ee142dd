import Storage
import Testing
import Wire

/// Who was connected, as every adapter tells it.
@Suite struct PresenceContractTests {
    private func row(_ sid: String, room: String = "RM_1", name: String = "office", at time: Timestamp) -> StoreRow {
        .present(
            PresenceRow(
                owner: .organization(id: "org_a", name: "A"), participantSID: sid, roomSID: room, roomName: name,
                userID: -7, identity: "annä", joinedAt: time))
    }

    @Test(arguments: Adapter.allCases)
    func `presence is read as it was written, who joined last first`(_ adapter: Adapter) throws {
        let (store, database) = try ScratchDatabase(adapter).open()
        let late = noon + .milliseconds(1_234)
        _ = try store.write(
            [row("PA_1", at: noon), row("PA_2", name: "", at: late), row("PA_3", room: "", at: late)], at: noon)
        let key = try #require(try database.first("SELECT id FROM organizations").first?.asKey)
        let organization = Organization(id: "org_a", name: "A", key: key)
        let first = OpenPresence(
            participantSID: "PA_2", roomSID: "RM_1", roomName: "", organization: organization, userID: -7,
            identity: "annä", joinedAt: late)
        var second = first
        second.participantSID = "PA_1"
        second.roomName = "office"
        second.joinedAt = noon
        #expect(try store.openPresence() == [first, second])
        _ = try store.write([.absent(participantSID: "PA_1"), .absent(participantSID: "PA_2")], at: noon)
        #expect(try store.openPresence() == [])
    }

    @Test func `times are read in the words of every database`() {
        let time = Timestamp(milliseconds: 1_790_596_800_123)
        let texts = [
            "2026-09-28T12:00:00.123Z", "2026-09-28 12:00:00.123+00", "2026-09-28 14:00:00.123456+02",
            "2026-09-28 17:45:00.1239+05:45", "2026-09-28 09:00:00.123-03:00:00", "2026-09-28 12:00:00.123",
        ]
        for text in texts { #expect(SQLValue.text(text).asTimestamp == time, "\(text)") }
        #expect(SQLValue.text("1969-12-31 23:59:59Z").asTimestamp == Timestamp(milliseconds: -1_000))
        #expect(SQLValue.time(time).asTimestamp == time)
        for text in [
            "", "2026-09-28", "2026-13-28T12:00:00Z", "2026-09-28T12:00:00Zx", "infinity", "2026-09-28T12:00:00.Z",
        ] {
            #expect(SQLValue.text(text).asTimestamp == nil, "\(text)")
        }
        #expect(SQLValue.integer(0).asTimestamp == nil)
        for days in stride(from: -1_000_000, to: 1_000_000, by: 37) {
            let (year, month, day) = CivilDate(daysSinceEpoch: days).parts
            #expect(CivilDate(year: year, month: month, day: day).daysSinceEpoch == days)
        }
    }
}
