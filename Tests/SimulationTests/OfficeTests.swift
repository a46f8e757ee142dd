import LiveKit
import Simulation
import Testing
import Wire

@Suite struct OfficeTests {
    private static let noShift = TimeShift(seconds: 0)

    /// An afternoon with everything in it.
    static func afternoon(
        seed: UInt64 = 7, ending: OfficeSize.Ending = .clean, guests: OfficeSize.Guests = .few,
        server: OfficeSize.Server = .new
    ) -> [SimulatedWebhook] {
        var size = OfficeSize(
            organizations: 3, rooms: 4, users: 20, length: .seconds(4 * 3_600), ending: ending, guests: guests)
        size.server = server
        return webhooks(size, seed)
    }

    static func webhooks(_ size: OfficeSize, _ seed: UInt64) -> [SimulatedWebhook] {
        var office = Office(size: size, seed: seed)
        var webhooks: [SimulatedWebhook] = []
        while let webhook = office.next() { webhooks.append(webhook) }
        return webhooks
    }

    @Test func `the same seed gives the same bytes, another seed others`() {
        let bodies = { (seed: UInt64) in Self.afternoon(seed: seed).map { $0.message.body(shift: Self.noShift) } }
        let one = bodies(7)
        #expect(one == bodies(7))
        #expect(one != bodies(8))
    }

    @Test func `another day has the same organizations, rooms and people, and no id of another day`() throws {
        let size = OfficeSize(organizations: 2, rooms: 3, users: 20, length: .seconds(4 * 3_600))
        let days = try (1...3).map { day in
            var office = Office(size: size, seed: 7, day: day)
            var events: [Event] = []
            var organizations: Set<String> = []
            while let webhook = office.next() {
                organizations.insert(webhook.organization)
                let body = webhook.message.body(shift: Self.noShift)
                events.append(try EventDecoder().decode(body.span))
            }
            return (organizations, events)
        }
        #expect(Set(days.map(\.0)).count == 1)
        #expect(Set(days.map { Set($0.1.map(\.room.name)) }).count == 1)
        for ids in [{ (event: Event) in event.id }, { (event: Event) in event.room.sid }] {
            let sets = days.map { Set($0.1.map(ids)).subtracting([""]) }
            #expect(sets.allSatisfy { $0.count > 10 })
            #expect(sets[0].isDisjoint(with: sets[1]) && sets[1].isDisjoint(with: sets[2]))
            #expect(sets[0].isDisjoint(with: sets[2]))
        }
    }

    @Test func `calls come in order of time`() {
        let times = Self.afternoon().map(\.at)
        #expect(times == times.sorted())
    }

    @Test func `an afternoon has every event, every kind of delivery, and late ones`() {
        let webhooks = Self.afternoon()
        let events = Set(webhooks.map(\.event))
        #expect(
            events == [
                .roomStarted, .roomFinished, .participantJoined, .participantLeft, .participantConnectionAborted,
                .trackPublished, .trackUnpublished, .egressStarted, .egressUpdated, .egressEnded, .ingressStarted,
                .ingressEnded,
            ])
        #expect(Set(webhooks.map(\.novelty)) == Set(SimulatedWebhook.Novelty.allCases))
        #expect(webhooks.contains { $0.delay > .zero })
        #expect(webhooks.count > 1_000)
    }

    @Test func `ids are used once, but for duplicates, which repeat the body`() {
        var bodies: [String: [UInt8]] = [:]
        for webhook in Self.afternoon() {
            let body = webhook.message.body(shift: Self.noShift)
            let id = Text.field("id", of: body) ?? ""
            #expect(!id.isEmpty)
            if webhook.novelty == .duplicate {
                #expect(bodies[id] == body)
            } else {
                #expect(bodies[id] == nil)
            }
            bodies[id] = body
        }
    }

    @Test func `bodies are as long as real ones`() {
        let sizes = Self.afternoon().map { $0.message.body(shift: Self.noShift).count }
        let mean = sizes.reduce(0, +) / sizes.count
        #expect((sizes.min() ?? 0) >= 300)
        #expect((sizes.max() ?? 0) <= 1_700)
        #expect((600...1_100).contains(mean))
    }

    @Test func `rooms of an organization carry its id in name and metadata`() throws {
        for webhook in Self.afternoon() where webhook.event == .roomStarted {
            let text = String(decoding: webhook.message.body(shift: Self.noShift), as: UTF8.self)
            #expect(text.contains(#""name":"\#(webhook.organization)~"#))
            #expect(text.contains(#""metadata":"{\"org_id\": \"\#(webhook.organization)\"}""#))
        }
    }

    @Test func `a shift moves every time and no duration`() {
        let shift = TimeShift(seconds: 100_000)
        for webhook in Self.afternoon().prefix(2_000) {
            let before = Text.numbers(in: webhook.message.body(shift: Self.noShift))
            let after = Text.numbers(in: webhook.message.body(shift: shift))
            #expect(before.count == after.count)
            for (name, value) in before {
                let moved = after[name] ?? 0
                switch name {
                case let name where name.hasSuffix("createdAt"): #expect(moved == value + 100_000)
                case let name where name.hasSuffix("unixMicro"): #expect(moved == value + 100_000_000_000)
                case let name where name.hasSuffix("duration") || name.hasSuffix("size"): #expect(moved == value)
                default: break
                }
            }
        }
    }

    @Test func `an office of any size ends`() {
        for (organizations, rooms, users, seconds) in [(1, 1, 1, 1), (1, 1, 1, 600), (2, 1, 3, 60), (1, 9, 2, 3_600)]
            as [(Int, Int, Int, Int64)]
        {
            var size = OfficeSize(
                organizations: organizations, rooms: rooms, users: users, length: .seconds(seconds))
            for seed in UInt64(1)...20 { _ = Self.webhooks(size, seed) }
            size.guests = .all
            for seed in UInt64(1)...20 { _ = Self.webhooks(size, seed) }
        }
    }

    @Test func `a long day does not fill up with people`() {
        let size = OfficeSize(organizations: 1, rooms: 3, users: 10, length: .seconds(200 * 3_600), ending: .clean)
        var present: Set<String> = []
        var most = 0
        for webhook in Self.webhooks(size, 3) {
            for fact in webhook.facts {
                switch fact {
                case .joined(let visitor) where visitor.kind == .standard: present.insert(visitor.sid)
                case .left(let visitor, _, _, _): present.remove(visitor.sid)
                case .vanished(let participants, _): present.subtract(participants)
                default: break
                }
            }
            most = max(most, present.count)
        }
        #expect(most > 3)
        #expect(most <= 20)
    }
}
