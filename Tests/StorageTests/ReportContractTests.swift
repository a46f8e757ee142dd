import Storage
import Testing
import Wire

/// What every adapter reports, and for which times.
@Suite struct ReportContractTests {
    let owner = RowOwner.organization(id: "org_a", name: "A")
    /// Days around every edge of a window.
    static let ages = [0, 6, 7, 8, 29, 30, 31, 90, 91]

    private func activity(_ report: Report) -> [String: Report.Activity] {
        if case .activity(_, let found) = report { found } else { [:] }
    }

    private func recordings(_ report: Report) -> [String: Report.Recordings] {
        if case .recordings(_, let found) = report { found } else { [:] }
    }

    @Test func `noon is noon`() {
        #expect(CivilTime(noon).description == "2026-09-28T12:00:00.000Z")
    }

    @Test(arguments: Adapter.allCases)
    func `activity counts the days of its window and no others`(_ adapter: Adapter) throws {
        let (store, database) = try ScratchDatabase(adapter).open()
        for (index, age) in Self.ages.enumerated() {
            let row = Row.session(owner, user: Int64(age), day: today.before(days: age), Double(1 << index))
            _ = try store.write([row], at: noon)
        }
        let week = activity(try store.activity(.week, at: noon))
        #expect(week == ["org_a": .init(uniqueUsers: 2, online_seconds: 1 + 2)])
        let month = activity(try store.activity(.month, at: noon))
        #expect(month == ["org_a": .init(uniqueUsers: 5, online_seconds: 1 + 2 + 4 + 8 + 16)])
        #expect(try store.purge(before: today.before(days: 90)) == 1)
        #expect(
            try database.first("SELECT COUNT(*), MAX(user_id) FROM participant_activity_metrics")
                == [.integer(8), .integer(90)])
    }

    @Test(arguments: Adapter.allCases)
    func `the window moves at midnight UTC`(_ adapter: Adapter) throws {
        let (store, _) = try ScratchDatabase(adapter).open()
        let midnight = Timestamp(seconds: Int64(today.daysSinceEpoch) * 86_400)
        let lastSecond = midnight - .seconds(1)
        // Sessions that end in the last second of one day and the first of the next.
        _ = try store.write(
            [
                Row.session(owner, user: 1, day: CivilDate(lastSecond), 1),
                Row.session(owner, user: 1, day: CivilDate(midnight), 2),
            ], at: noon)
        let sixDaysOn = lastSecond + .seconds(7 * 86_400)
        #expect(CivilTime(sixDaysOn).description.hasSuffix("T23:59:59.000Z"))
        #expect(activity(try store.activity(.week, at: sixDaysOn - .seconds(86_400)))["org_a"]?.online_seconds == 3)
        #expect(activity(try store.activity(.week, at: sixDaysOn))["org_a"]?.online_seconds == 2)
        #expect(activity(try store.activity(.week, at: midnight + .seconds(7 * 86_400) - .seconds(1)))["org_a"] != nil)
        #expect(activity(try store.activity(.week, at: midnight + .seconds(7 * 86_400)))["org_a"] == nil)
    }

    @Test(arguments: Adapter.allCases)
    func `a user of several days counts once`(_ adapter: Adapter) throws {
        let (store, _) = try ScratchDatabase(adapter).open()
        let rows = (0..<5).map { Row.session(owner, user: 7, day: today.before(days: $0), 10) }
        _ = try store.write(rows + [Row.session(owner, user: 8, 1)], at: noon)
        #expect(
            activity(try store.activity(.week, at: noon)) == ["org_a": .init(uniqueUsers: 2, online_seconds: 51)])
    }

    @Test(arguments: Adapter.allCases, Report.Window.allCases)
    func `a recording counts up to its last millisecond in the window`(
        _ adapter: Adapter, _ window: Report.Window
    ) throws {
        let (store, _) = try ScratchDatabase(adapter).open()
        let firstDay = today.before(days: today.parts.day - 1)
        let edge =
            window == .calendarMonth
            ? Timestamp(seconds: Int64(firstDay.daysSinceEpoch) * 86_400)
            : noon - .seconds(window.rawValue * 86_400)
        _ = try store.write(
            [
                Row.recording(owner, "EG_now", endedAt: noon, 1), Row.recording(owner, "EG_edge", endedAt: edge, 2),
                Row.recording(owner, "EG_old", endedAt: edge - .milliseconds(1), 4),
                Row.recording(owner, "EG_failed", status: "failed", endedAt: noon, 8),
                Row.recording(owner, "EG_unknown", endedAt: noon, nil),
            ], at: noon)
        #expect(
            recordings(try store.recordings(window, at: noon)) == ["org_a": .init(completed: 3, duration_seconds: 3)])
    }

    @Test(arguments: Adapter.allCases)
    func `a calendar month begins with its first day in UTC`(_ adapter: Adapter) throws {
        let (store, _) = try ScratchDatabase(adapter).open()
        let first = CivilDate(year: 2024, month: 3, day: 1)
        func write(_ day: CivilDate) throws {
            _ = try store.write([Row.session(owner, user: 1, day: day, Double(day.parts.day))], at: noon)
        }
        func seconds(_ second: Int64) throws -> Double? {
            let now = Timestamp(seconds: Int64(first.daysSinceEpoch) * 86_400 + second)
            return activity(try store.activity(.calendarMonth, at: now))["org_a"]?.online_seconds
        }
        try write(first.before(days: 1))
        #expect(try seconds(-1) == 29)
        try write(first)
        #expect(try seconds(0) == 1)
        #expect(try seconds(30 * 86_400) == 1)
        #expect(try seconds(31 * 86_400) == nil)
    }

    @Test(arguments: Adapter.allCases)
    func `a recording at the turn of a day is in the right window`(_ adapter: Adapter) throws {
        let (store, _) = try ScratchDatabase(adapter).open()
        let midnight = Timestamp(seconds: Int64(today.daysSinceEpoch) * 86_400)
        _ = try store.write(
            [
                Row.recording(owner, "EG_1", endedAt: midnight - .seconds(1), 1),
                Row.recording(owner, "EG_2", endedAt: midnight, 2),
            ], at: noon)
        let nextMidnight = midnight + .seconds(86_400)
        func seconds(_ now: Timestamp) throws -> Double? {
            recordings(try store.recordings(.day, at: now))["org_a"]?.duration_seconds
        }
        #expect(try seconds(nextMidnight - .seconds(1)) == 3)
        #expect(try seconds(nextMidnight) == 2)
        #expect(try seconds(nextMidnight + .milliseconds(1)) == nil)
    }

    @Test(arguments: Adapter.allCases)
    func `only organizations with a public id are reported`(_ adapter: Adapter) throws {
        let (store, database) = try ScratchDatabase(adapter).open()
        let keys = [
            try database.add(organization: nil), try database.add(organization: ""), .integer(99),
            try database.add(organization: "org_b", name: nil),
        ]
        let rows = keys.flatMap { key in
            let id = "\(key)"
            return [
                Row.session(.key(key)), Row.recording(.key(key), id), Row.present(.key(key), id),
            ]
        }
        #expect(try store.write(rows, at: noon).written == 12)
        // A recording of nobody, as an application may keep it.
        _ = try database.run("UPDATE recordings SET organization_id = NULL WHERE egress_id = $1", [.text("\(keys[2])")])
        #expect(activity(try store.activity(.week, at: noon)).keys.sorted() == ["org_b"])
        #expect(recordings(try store.recordings(.day, at: noon)).keys.sorted() == ["org_b"])
        #expect(try store.presence() == .presence(["org_b": 1]))
        #expect(try store.recent(at: noon) == .recent(["org_b"]))
        #expect(
            try store.licenses()
                == .licenses([Organization(id: "org_b", name: "", key: keys[3], recordingLimit_minutes: 0)]))
    }

    @Test(arguments: Adapter.allCases)
    func `recent is younger than 31 days by activity or recording`(_ adapter: Adapter) throws {
        let (store, _) = try ScratchDatabase(adapter).open()
        func owner(_ id: String) -> RowOwner { .organization(id: id, name: id) }
        _ = try store.write(
            [
                Row.session(owner("active"), day: today.before(days: 30)),
                Row.session(owner("silent"), day: today.before(days: 31)),
                Row.recording(owner("recorded"), "1", status: "failed", endedAt: noon - .seconds(31 * 86_400)),
                Row.recording(owner("unrecorded"), "2", endedAt: noon - .seconds(31 * 86_400) - .milliseconds(1)),
                Row.present(owner("present"), "PA"),
            ], at: noon)
        #expect(try store.recent(at: noon) == .recent(["active", "recorded"]))
    }

    /// The server of the tests lives in New York: at noon UTC it is another day there for some of these.
    @Test(arguments: Adapter.allCases, [0, 3_599, 3_600, 43_200, 86_399])
    func `the purge goes by the day in UTC of the given clock`(_ adapter: Adapter, _ second: Int) throws {
        let (store, database) = try ScratchDatabase(adapter).open()
        let now = Timestamp(seconds: Int64(today.daysSinceEpoch * 86_400 + second))
        let rows = (85...95).map { Row.session(owner, user: Int64($0), day: today.before(days: $0)) }
        _ = try store.write(rows, at: now)
        #expect(try store.purge(before: CivilDate(now - .seconds(90 * 86_400))) == 5)
        let left = try database.rows("SELECT user_id FROM participant_activity_metrics ORDER BY 1", [])
        #expect(left.rows == (85...90).map { [.integer($0)] })
        #expect(try store.purge(before: CivilDate(now - .seconds(90 * 86_400))) == 0)
    }

    @Test(arguments: Adapter.allCases)
    func `who is present is read as it was written`(_ adapter: Adapter) throws {
        let (store, database) = try ScratchDatabase(adapter).open()
        let key = try database.add(organization: "org_a", name: "A")
        _ = try store.write(
            [
                Row.present(.key(key), "PA_1", user: .min, identity: "Zoë"), Row.present(.key(.integer(99)), "PA_2"),
                Row.present(.key(key), "PA_3", room: ""),
            ], at: noon)
        let found = try store.openPresence()
        let organization = Organization(id: "org_a", name: "A", key: key)
        #expect(
            found == [
                OpenPresence(
                    participantSID: "PA_1", roomSID: "RM_1", roomName: "room", organization: organization,
                    userID: .min, identity: "Zoë", joinedAt: noon),
                OpenPresence(
                    participantSID: "PA_3", roomSID: "RM_1", roomName: "", organization: organization, userID: 1,
                    identity: "1", joinedAt: noon),
            ])
    }

    @Test(arguments: Adapter.allCases)
    func `an empty database reports nobody`(_ adapter: Adapter) throws {
        let (store, _) = try ScratchDatabase(adapter).open()
        #expect(try store.activity(.week, at: noon) == .activity(.week, [:]))
        #expect(try store.recordings(.day, at: noon) == .recordings(.day, [:]))
        #expect(try store.presence() == .presence([:]))
        #expect(try store.licenses() == .licenses([]))
        #expect(try store.recent(at: noon) == .recent([]))
        #expect(try store.purge(before: today) == 0)
    }
}
