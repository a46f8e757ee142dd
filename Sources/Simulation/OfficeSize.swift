/// The size of a simulated office, and the way it ends.
package struct OfficeSize: Sendable, Equatable {
    /// The office's behaviour when the simulated time is over.
    package enum Ending: String, Sendable, CaseIterable {
        /// Everybody leaves and every room and job ends: all gauges return to 0.
        case clean
        /// It stops while rooms are open: the gauges stay up.
        case open
    }

    /// Those who are in the office beside the people who meet.
    package enum Guests: String, Sendable, CaseIterable {
        /// Some phone calls, agents, connectors and bridges, which tell nothing of themselves.
        case few
        /// Agents with names and jobs, calls in both directions, recordings that are tried again, and every reason of
        /// an end.
        case all
    }

    /// The release of the simulated LiveKit.
    package enum Server: String, Sendable, CaseIterable {
        /// It tells the jobs of agents, and the reason of a room's end.
        case new
        /// LiveKit up to 1.13.5 tells neither.
        case old
    }

    package var organizations: Int
    /// The number of rooms of each organization.
    package var rooms: Int
    /// The number of people of each organization.
    package var users: Int
    /// The length in the office's own time.
    package var length: Duration
    package var ending: Ending
    /// A server of each organization dies once.
    package var crashes = true
    package var guests: Guests
    package var server = Server.new

    package init(
        organizations: Int = 3, rooms: Int = 4, users: Int = 20, length: Duration = .seconds(3_600),
        ending: Ending = .clean, guests: Guests = .few
    ) {
        precondition(organizations > 0 && rooms > 0 && users > 0, "an office has people and rooms")
        self.organizations = organizations
        self.rooms = rooms
        self.users = users
        self.length = length
        self.ending = ending
        self.guests = guests
    }
}
