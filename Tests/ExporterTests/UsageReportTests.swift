import Foundation
import Storage
import Testing
import Wire

@testable import Exporter

/// What `lkpush report` prints, without a database.
@Suite struct UsageReportTests {
    private static let month = CalendarMonth(CivilDate(year: 2026, month: 11, day: 1))

    private static func organization(
        _ id: String, _ name: String = "Name", _ uses: [MonthlyUsage.Use] = []
    ) -> MonthlyUsage.Organization {
        var organization = MonthlyUsage.Organization(id: id, name: name, key: "7")
        organization.uses = uses
        return organization
    }

    private static func usage(_ organizations: [MonthlyUsage.Organization]) -> MonthlyUsage {
        var usage = MonthlyUsage(month: month)
        usage.organizations = organizations
        usage.firstUsageDay = month.firstDay
        return usage
    }

    private static func report(
        _ organizations: [MonthlyUsage.Organization], of ids: [String] = [], at now: Timestamp = month.end
    ) -> UsageReport { UsageReport(usage(organizations), of: ids, at: now) }

    private static let standard = MonthlyUsage.Use(
        "connection:standard", .init(duration_ms: 1_234_567_890, count: 1_204, billed_minutes: 20_999))

    // MARK: Notes

    @Test func `a month that is not over says when it ends`() {
        #expect(Self.report([], at: Self.month.end).notes == [])
        let late = Self.report([], at: Self.month.end - .seconds(90_000)).notes
        #expect(late.count == 1 && late[0].hasPrefix("November 2026 is not over: it ends in 1 d 1 h (UTC)."))
        #expect(Self.report([], at: Self.month.begin - .milliseconds(1)).notes == ["November 2026 has not begun."])
    }

    @Test(
        arguments: [
            (nil, nil, "The table lkpush_usage_daily is empty"), (-40, -40, nil), (0, 0, nil),
            (11, 11, "The table lkpush_usage_daily begins on 2026-11-12: what was used before is not in it."),
            (40, nil, "The table lkpush_usage_daily begins on 2026-12-11"), (-40, 1, nil),
            (-40, 2, "People are counted from 2026-11-03 on"), (0, 1, nil), (-40, -30, nil),
        ] as [(Int?, Int?, String?)])
    func `figures that are not whole are said to be`(_ usageFrom: Int?, _ activityFrom: Int?, _ note: String?) {
        var usage = Self.usage([])
        usage.firstUsageDay = usageFrom.map { Self.month.firstDay.before(days: -$0) }
        usage.firstActivityDay = activityFrom.map { Self.month.firstDay.before(days: -$0) }
        let notes = UsageReport(usage, at: Self.month.end).notes
        #expect(notes.count == (note == nil ? 0 : 1) && notes.first?.hasPrefix(note ?? "") ?? true, "\(notes)")
    }

    @Test func `policies and organizations that nobody knows are told`() {
        var usage = Self.usage([Self.organization("a")])
        usage.guardedTables = ["recordings"]
        let notes = UsageReport(usage, of: ["a", "b\u{7}"], at: Self.month.end).notes
        #expect(notes.count == 2 && notes[0].contains("on recordings: what its policies hide is missing here"))
        #expect(notes[1] == "The database knows no organization b?.")
    }

    // MARK: Organizations

    @Test func `those that used something are there, or those that were asked for`() {
        let all = [Self.organization("a", "A", [Self.standard]), Self.organization("b"), Self.organization("c")]
        #expect(Self.report(all).organizations.map(\.id) == ["a"])
        #expect(Self.report(all, of: ["c", "a", "c"]).organizations.map(\.id) == ["a", "c"])
        #expect(Self.report(all, of: ["cafe\u{301}"]).organizations.isEmpty)
        #expect(Self.report([]).table.contains("\nNothing was used.\n"))
        #expect(Self.report([]).csv == "month,org_id,org_name,usage,seconds,count,billed_minutes,bytes\r\n")
    }

    @Test func `sums are those of the organizations, usage by usage`() {
        let sip = MonthlyUsage.Use("sip:inbound", .init(duration_ms: -5, count: 1))
        var (a, b) = (Self.organization("a", "A", [Self.standard, sip]), Self.organization("b", "B", [Self.standard]))
        a.recordings = .init(count: 1, duration_ms: 2, size_bytes: 3)
        b.recordings = a.recordings
        (a.uniquePeople, b.uniquePeople) = (2, 3)
        let total = Self.report([a, b]).total
        #expect(total.uses.map(\.usage) == ["connection:standard", "sip:inbound"])
        #expect(total.uses[0].amount == .init(duration_ms: 2_469_135_780, count: 2_408, billed_minutes: 41_998))
        #expect(total.uses[1].amount == sip.amount && total.uniquePeople == 5 && total.sessions == 2_408)
        #expect(total.recordings == .init(count: 2, duration_ms: 4, size_bytes: 6))
    }

    // MARK: Forms

    @Test func `a table has its numbers at the right, and no line ends with a blank`() {
        var acme = Self.organization("org_acme", "Acme", [Self.standard])
        acme.recordings = .init(count: 3, duration_ms: 90 * 60_000 + 2_999, size_bytes: 3 << 30)
        acme.recordingLimit_minutes = 1_000.5
        let lines = Self.report([acme, Self.organization("b", "", [Self.standard])]).table.split(separator: "\n")
            .map(String.init)
        #expect(lines[0] == "Usage in November 2026 (UTC)")
        let header =
            "Organization  Name  People  Sessions   Minutes  Billed  Recordings  Recorded    Limit  Used      Size"
        #expect(lines[1] == header)
        #expect(
            lines[2]
                == "org_acme      Acme       0     1,204  20,576.1  20,999           3      90.0  1,000.5    9%  3072 MiB"
        )
        #expect(
            lines[3]
                == "b                        0     1,204  20,576.1  20,999           0       0.0        -     -       0 B"
        )
        #expect(lines[4].hasPrefix("Total                    0     2,408  41,152.3  41,998"))
        #expect(lines.contains { $0.hasPrefix("All organizations    Ended   Minutes  Billed") })
        #expect(lines.contains { $0 == "connection:standard  2,408  41,152.3  41,998" })
        #expect(lines.allSatisfy { !$0.hasSuffix(" ") })
        let one = Self.report([acme], of: ["org_acme"]).table
        #expect(one.contains("\norg_acme             Ended   Minutes  Billed\n") && !one.contains("Total"))
    }

    @Test func `names that a terminal would obey are shown without`() {
        let hostile = "\u{1B}[2J\u{9B}\n\u{202E}" + String(repeating: "x", count: 100)
        let table = Self.report([Self.organization(hostile, hostile, [.init("agent:\u{1B}]0;", .init())])]).table
        #expect(!table.unicodeScalars.contains { $0 != "\n" && $0.properties.generalCategory == .control })
        #expect(!table.contains("\u{202E}") && table.contains("…"))
    }

    @Test func `cells of CSV are quoted as RFC 4180 says, and empty where they have no meaning`() {
        var acme = Self.organization(
            "a,b", "Acme \"Inc\"\r\nLtd", [Self.standard, .init("sip:inbound", .init(duration_ms: -61_007, count: 2))])
        acme.recordings = .init(count: 1, duration_ms: 90_001, size_bytes: 123_456_789_012)
        acme.recordingLimit_minutes = 0.5
        acme.uniquePeople = 12
        let names = #"2026-11,"a,b","Acme ""Inc""\#r\#nLtd""#
        #expect(
            Self.report([acme]).csv == """
                month,org_id,org_name,usage,seconds,count,billed_minutes,bytes\r
                \(names),connection:standard,1234567.890,1204,20999,\r
                \(names),sip:inbound,-61.007,2,,\r
                \(names),recording:completed,90.001,1,,123456789012\r
                \(names),recording:limit,30.000,,,\r
                \(names),people:unique,,12,,\r

                """)
    }

    @Test func `JSON has the same numbers under names that do not change`() throws {
        var acme = Self.organization(
            "é\"\u{1}", "A", [Self.standard, .init("connection:agent", .init(duration_ms: 1))])
        acme.recordings = .init(count: 1, duration_ms: 30_000, size_bytes: .max)
        acme.recordingLimit_minutes = 2
        let text = Self.report([acme, Self.organization("b", "B", [Self.standard])]).json
        let object = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        #expect(
            object.keys.sorted() == [
                "begins", "ends", "is_over", "made_at", "month", "notes", "organizations", "total", "usage_since",
            ])
        #expect(object["begins"] as? String == "2026-11-01T00:00:00.000Z" && object["is_over"] as? Bool == true)
        let all = try #require(object["organizations"] as? [[String: Any]])
        #expect(all.count == 2 && all[0]["org_id"] as? String == "é\"\u{1}")
        #expect(text.contains(#""connections":{"seconds":1234567.891,"count":1204,"billed_minutes":20999}"#))
        #expect(text.contains(#""bytes":9223372036854775807,"limit_minutes":2,"used_share":0.25}"#))
        #expect(text.contains(#""limit_minutes":null,"used_share":null}"#))
        let total = try #require(object["total"] as? [String: Any])
        #expect(total["sessions"] as? Int == 2_408 && (total["usages"] as? [String: Any])?.count == 2)
        #expect(Self.report([], at: Self.month.begin).json.contains(#""is_over":false"#))
        #expect(Self.report([]).json.contains(#""organizations":[],"#))
    }
}
