import LiveKit
import Wire

/// The inventory of the office, and the plan of its day.
extension Office {
    private static let purposes = ["standup", "planning", "board", "design", "sales", "support", "retro", "lounge"]
    private static let firstNames = ["Ada", "Grace", "Alan", "Edsger", "Barbara", "Donald", "Radia", "Leslie"]
    private static let lastNames = [
        "Lovelace", "Hopper", "Turing", "Dijkstra", "Liskov", "Knuth", "Perlman", "Lamport",
    ]

    /// One of so many people is a guest, whose identity is not a number.
    private static let guestEvery = 12

    mutating func furnish() {
        for (index, organization) in organizations.enumerated() {
            for number in 0..<size.rooms {
                let purpose = Self.purposes[number % Self.purposes.count]
                let suffix = number / Self.purposes.count + 1
                rooms.append(OfficeRoom(name: "\(organization)~\(purpose)-\(suffix)", organization: index))
            }
            for number in 0..<size.users {
                let isGuest = number % Self.guestEvery == Self.guestEvery - 1
                people.append(
                    Person(
                        organization: index,
                        identity: isGuest ? random.id("guest-") : String((index + 1) * 1_000_000 + number),
                        name: "\(random.pick(Self.firstNames)) \(random.pick(Self.lastNames))"))
            }
        }
    }

    mutating func planDay() {
        let length = Double(length)
        for person in people.indices {
            let arrival = abs(random.normal(mean: 0.08, deviation: 0.05))
            schedule.plan(at: Int64(min(arrival, 0.9) * length), .arrive(person: person, again: false))
        }
        for organization in organizations.indices {
            let guests = max(1, size.users / 20)
            for kind in [Participant.Kind.sip, .agent, .connector, .bridge] {
                // Where agents have jobs, each of them has one.
                let comes = size.guests == .few || kind != .agent
                for _ in 0..<guests {
                    let share = random.uniform(0.15...0.8)
                    if comes { plan(at: share, .visit(organization: organization, kind)) }
                }
            }
            for _ in 0..<max(4, size.rooms) { planAnywhere(0.1...0.9, .record(organization: organization)) }
            for _ in 0..<(1 + size.rooms / 2) { planAnywhere(0.15...0.7, .stream(organization: organization)) }
            // A restart takes half a minute, and everybody must be back well before the end.
            if size.crashes && length >= 600_000 { planAnywhere(0.4...0.7, .crash(organization: organization)) }
            if size.guests == .all { planGuests(organization) }
        }
        schedule.plan(at: Int64(length), .close)
    }

    private mutating func planAnywhere(_ share: ClosedRange<Double>, _ happening: Happening) {
        plan(at: random.uniform(share), happening)
    }

    private mutating func plan(at share: Double, _ happening: Happening) {
        schedule.plan(at: Int64(share * Double(length)), happening)
    }

    private mutating func planGuests(_ organization: Int) {
        for _ in 0..<max(4, size.users / 4) {
            plan(at: guestRandom.uniform(0.1...0.85), .dispatch(organization: organization))
        }
        for _ in 0..<max(4, size.users / 8) {
            let direction = guestRandom.happens(0.6) ? CallDirection.inbound : .outbound
            plan(at: guestRandom.uniform(0.12...0.85), .call(organization: organization, direction))
        }
    }

    /// Returns the rooms of an organization that can be entered.
    func rooms(of organization: Int) -> [Int] {
        let first = organization * size.rooms
        return (first..<first + size.rooms).filter { !rooms[$0].isDown }
    }
}
