import LiveKit
import Platform
import Recording
import Simulation
import Testing
import Wire

/// Usage over a simulated day: exact in the sum, never back, never below what has ended.
@Suite struct UsageDayTests {
    /// Lives a day, and expects what holds on any day.
    private static func day(_ setup: UsageDay.Setup) throws -> UsageDay {
        var day = UsageDay(setup)
        try day.live()
        expectMonotone(day)
        expectExact(day)
        return day
    }

    /// Nothing that was shown falls, and all of it covers what has ended.
    private static func expectMonotone(_ day: UsageDay) {
        for (before, after) in zip(day.looks, day.looks.dropFirst()) {
            for (use, shown) in before.shown {
                #expect(after.shown[use] ?? 0 >= shown, "\(use) at \(after.at)")
            }
        }
        // An organization that is not known yet, or is another one now, has other series.
        for look in day.looks {
            let shown = sums(look.shown)
            for (usage, ended) in sums(look.ended) { #expect(shown[usage] ?? 0 >= ended, "\(usage) at \(look.at)") }
        }
    }

    /// In the end all that was shown is what has ended, and what was shown ahead of late ends.
    private static func expectExact(_ day: UsageDay) {
        guard let last = day.looks.last else {
            Issue.record("nobody looked")
            return
        }
        var ahead: [Substring: Int64] = [:]
        for (usage, shown) in sums(last.shown) {
            ahead[usage.prefix { $0 != ":" }, default: 0] += shown - (sums(last.ended)[usage] ?? 0)
        }
        for (kind, surplus) in ahead { #expect(surplus == day.life.ahead[String(kind)] ?? 0, "\(kind)") }
        let table = totals(day.table.map { ($0.key.use.usage, $0.value) })
        let truth = totals(day.truth.usage.totals.map { ($0.key.usage, $0.value) })
        for usage in Set(table.keys).union(truth.keys) {
            #expect(table[usage] == truth[usage], "\(usage)")
        }
    }

    private static func sums(_ values: [UsageTruth.Use: Int64]) -> [String: Int64] {
        values.reduce(into: [:]) { $0[$1.key.usage, default: 0] += $1.value }
    }

    private static func totals(_ amounts: [(String, UsageTruth.Amount)]) -> [String: UsageTruth.Amount] {
        amounts.reduce(into: [:]) { $0[$1.0, default: UsageTruth.Amount()] += $1.1 }
    }

    /// Each organization and day has its own share.
    private static func expectRows(_ day: UsageDay) {
        let truth = day.truth.usage.rows.filter { $0.value != UsageTruth.Amount() }
        let table = day.table
        for row in Set(table.keys).union(truth.keys) { #expect(table[row] == truth[row], "\(row)") }
    }

    @Test(arguments: OfficeSize.Server.allCases)
    func `a day without trouble is exact for each organization and day`(server: OfficeSize.Server) throws {
        var setup = UsageDay.Setup()
        setup.size.server = server
        Self.expectRows(try Self.day(setup))
    }

    /// Recordings are left out: the length of their media is known at their end only.
    @Test(arguments: OfficeSize.Server.allCases)
    func `what a counter grows by over a window is the time that was spent in it`(server: OfficeSize.Server) throws {
        var setup = UsageDay.Setup()
        setup.size.server = server
        let day = try Self.day(setup)
        let spans = try #require(day.truth.usage.spans).filter { !$0.key.usage.hasPrefix("egress:") }
        #expect(spans.count > 10)
        var random = SplitMix(seed: 7)
        func place() -> Int { Int(random.next() % UInt64(day.looks.count)) }
        for _ in 0..<100 {
            let (first, last) = (place(), place())
            let (from, to) = (day.looks[min(first, last)], day.looks[max(first, last)])
            for (use, times) in spans {
                let grown = (to.shown[use] ?? 0) - (from.shown[use] ?? 0)
                let window = from.at.milliseconds..<max(from.at.milliseconds, to.at.milliseconds)
                let spent = times.map { $0.clamped(to: window).count }.reduce(0, +)
                // A reading is a tick old, and a webhook takes a moment.
                let open = times.count { $0.overlaps(window) || $0.contains(window.lowerBound) }
                let most = open * Int((UsageDay.Pace.tick + .seconds(3)).milliseconds) * 2
                #expect(abs(Int(grown) - spent) <= most, "\(use) from \(from.at) to \(to.at): \(grown), not \(spent)")
            }
        }
    }

    @Test func `late, repeated and reordered webhooks change no sum`() throws {
        var setup = UsageDay.Setup()
        (setup.seed, setup.late, setup.repeated) = (2, 0.05, 0.1)
        Self.expectRows(try Self.day(setup))
    }

    @Test func `two downtimes of eight hours change no sum`() throws {
        var setup = UsageDay.Setup(hours: 26)
        setup.downtimes = [7_200..<36_000, 54_000..<82_800]
        _ = try Self.day(setup)
    }

    @Test func `a clock that was three days ahead and is set right changes no sum`() throws {
        var setup = UsageDay.Setup()
        setup.clockAhead = 10_000..<20_000
        _ = try Self.day(setup)
    }

    @Test func `an end that comes after it was estimated replaces the estimate`() throws {
        var setup = UsageDay.Setup(hours: 8)
        setup.silence = 7_200..<36_000
        setup.stateMaxSilence = .seconds(2 * 3_600)
        Self.expectRows(try Self.day(setup))
    }

    @Test func `an organization that is known late gets the share that was unknown`() throws {
        var setup = UsageDay.Setup()
        setup.unknownUntil = 4 * 3_600
        Self.expectRows(try Self.day(setup))
    }

    @Test func `a room that moves to another organization leaves no share out and none twice`() throws {
        var setup = UsageDay.Setup()
        setup.movesAt = 5 * 3_600
        _ = try Self.day(setup)
    }

    @Test func `what a crash took away counts no longer than it can have been there`() throws {
        var setup = UsageDay.Setup()
        setup.size.crashes = true
        var day = UsageDay(setup)
        try day.live()
        Self.expectMonotone(day)
        let table = Self.totals(day.table.map { ($0.key.use.usage, $0.value) })
        let truth = Self.totals(day.truth.usage.totals.map { ($0.key.usage, $0.value) })
        var longest: [String: Int64] = [:]
        for (use, vanished) in day.truth.usage.vanished { longest[use.usage, default: 0] += vanished.longest_ms }
        #expect(longest.count > 2)
        for (usage, amount) in table {
            let surplus = amount.duration_ms - (truth[usage]?.duration_ms ?? 0)
            #expect((0...(longest[usage] ?? 0)).contains(surplus), "\(usage)")
        }
    }

    @Test func `fifty kills change nothing`() throws {
        var setup = UsageDay.Setup(hours: 26)
        (setup.seed, setup.late, setup.repeated) = (3, 0.05, 0.1)
        setup.downtimes = [7_200..<36_000]
        let calm = try Self.day(setup)
        setup.kills = 50
        let killed = try Self.day(setup)
        #expect(killed.table == calm.table)
        #expect(killed.looks.last?.shown == calm.looks.last?.shown)
    }
}
