import Foundation
import LiveKit
import Platform
import Simulation
import TestSupport
import Testing
import Wire

/// A simulated month through the whole program: `lkpush report` says what the simulator counted itself.
@Suite struct SimulatedMonthTests {
    /// A figure of an organization in the report, and in the truth.
    private struct Figures: Equatable {
        var uses: [String: UsageTruth.Amount] = [:]
        var recordings = 0
        var recorded_ms: Int64 = 0
        var recorded_bytes: Int64 = 0
        var people = 0
    }

    /// The days of the office, each with its first moment. The last one goes on into the next month.
    private struct Month {
        let first: CivilDate
        let next: CivilDate
        var webhooks: [RetryingSender.Webhook] = []
        var truth = Truth()

        init() {
            // The month before last is over, and its days are in no window of this machine's clock.
            let today = CivilDate(SystemTime().now())
            let last = CivilDate(daysSinceEpoch: today.daysSinceEpoch - today.parts.day)
            next = CivilDate(daysSinceEpoch: last.daysSinceEpoch - last.parts.day + 1)
            let before = CivilDate(daysSinceEpoch: next.daysSinceEpoch - 1)
            first = CivilDate(year: before.parts.year, month: before.parts.month, day: 1)
        }

        var name: String { String(first.description.prefix(7)) }

        /// Adds a day of the office that begins so long after the first moment of the month.
        mutating func add(_ number: Int, beginning seconds: Int64) {
            var size = OfficeSize(organizations: 2, rooms: 2, users: 6, length: .seconds(2_400), guests: .all)
            size.crashes = false
            var office = Office(size: size, seed: 17, day: number)
            let begin = Int64(first.daysSinceEpoch) * 86_400 + seconds
            let shift = TimeShift(seconds: begin - Office.epoch.milliseconds / 1_000)
            let signer = TokenSigner(key: BuiltProgram.key, secret: Secret(BuiltProgram.secret))
            let now = SystemTime().now()
            while let webhook = office.next() {
                truth.count(webhook, shift: shift)
                let body = webhook.message.body(shift: shift)
                let token = signer.webhookToken(for: body.span, at: now, lifetime: .seconds(3_600))
                webhooks.append(RetryingSender.Webhook(key: webhook.key, token: token, body: body))
            }
        }

        /// What the report of the month must say.
        var expected: [String: Figures] {
            var figures: [String: Figures] = [:]
            for (row, amount) in truth.usage.rows where row.day >= first && row.day < next {
                figures[row.use.organization, default: Figures()].uses[row.use.usage, default: .init()] += amount
            }
            for (organization, recording) in truth.recordings where recording.hasSucceeded {
                guard let end = recording.endedAt, CivilDate(end) >= first, CivilDate(end) < next else { continue }
                figures[organization, default: Figures()].recordings += 1
                figures[organization, default: Figures()].recorded_bytes += recording.size_bytes
                let lasted_ms = Int64(((recording.lasted_seconds ?? 0) * 1_000).rounded())
                figures[organization, default: Figures()].recorded_ms += lasted_ms
            }
            var people: [String: Set<String>] = [:]
            for visit in truth.visits.keys where visit.day >= first && visit.day < next {
                people[visit.organization, default: []].insert(visit.identity)
            }
            for (organization, identities) in people {
                figures[organization, default: Figures()].people = identities.count
            }
            return figures
        }
    }

    private let folder = TemporaryFolder()

    @Test(arguments: ApplicationDatabase.Kind.allCases)
    func `the report of a month is the simulator's own count`(_ kind: ApplicationDatabase.Kind) throws {
        var month = Month()
        let days = month.next.daysSinceEpoch - month.first.daysSinceEpoch
        // It begins in the month before, goes over midnight, and ends in the month after.
        month.add(1, beginning: -1_200)
        month.add(2, beginning: 86_400 - 1_200)
        month.add(3, beginning: 14 * 86_400)
        month.add(4, beginning: Int64(days) * 86_400 - 1_200)
        let database = try ApplicationDatabase(kind, in: folder)
        let exporter = MortalExporter(
            folder,
            [
                "DATABASE_URL": database.url, "ORG_SOURCE": "metadata", "ORG_METADATA_KEY": "org_id",
                "QUEUE_SIZE": "50000", "SNAPSHOT_INTERVAL": "500ms",
            ])
        try exporter.startAndWait()
        let half = month.webhooks.count / 2
        try send(month.webhooks[..<half], to: exporter)
        try exporter.kill()
        try exporter.startAndWait()
        try send(month.webhooks[half...], to: exporter)
        try exporter.terminate()
        let found = try report(month.name, database)
        let expected = month.expected
        #expect(expected.count == 2 && found.keys.sorted() == expected.keys.sorted())
        for (organization, figures) in expected {
            let reported = try #require(found[organization])
            #expect(figures.uses.count > 10, "the office has all that is counted: \(figures.uses.keys.sorted())")
            for usage in Set(figures.uses.keys).union(reported.uses.keys).sorted() {
                #expect(reported.uses[usage] == figures.uses[usage], "\(organization) \(usage)")
            }
            #expect(reported == figures)
        }
    }

    private func send(_ webhooks: ArraySlice<RetryingSender.Webhook>, to exporter: MortalExporter) throws {
        let sender = RetryingSender(
            // In the order of the office: whether the server tells jobs decides what an agent counts as.
            Array(webhooks), to: exporter.webhooks, connections: 1, patience: .untilAnswered(scaledBy: 0.01))
        #expect(sender.waitUntilAllSettled())
        #expect(sender.stop().accepted == webhooks.count)
        try exporter.expectAlive()
    }

    private func report(_ month: String, _ database: ApplicationDatabase) throws -> [String: Figures] {
        let (status, output) = ChildProcess.run(
            BuiltProgram.executable, ["report", "--month", month, "--format", "json"],
            environment: ["DATABASE_URL": database.url])
        try #require(status == 0, "\(output)")
        let object = try #require(try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any])
        var figures: [String: Figures] = [:]
        for organization in try #require(object["organizations"] as? [[String: Any]]) {
            let id = try #require(organization["org_id"] as? String)
            let recordings = try #require(organization["recordings"] as? [String: Any])
            var one = Figures(
                recordings: Int(Self.number(recordings["count"])),
                recorded_ms: Int64((Self.number(recordings["seconds"]) * 1_000).rounded()),
                recorded_bytes: Int64(Self.number(recordings["bytes"])),
                people: Int(Self.number(organization["unique_people"])))
            for (usage, amount) in try #require(organization["usages"] as? [String: [String: Any]]) {
                let amount = UsageTruth.Amount(
                    duration_ms: Int64((Self.number(amount["seconds"]) * 1_000).rounded()),
                    count: Int64(Self.number(amount["count"])),
                    billed_minutes: Int64(Self.number(amount["billed_minutes"])))
                if amount != .init() { one.uses[usage] = amount }
            }
            figures[id] = one
        }
        return figures
    }

    private static func number(_ value: Any?) -> Double { (value as? NSNumber)?.doubleValue ?? 0 }
}
