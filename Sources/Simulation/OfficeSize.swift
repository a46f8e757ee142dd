/// The size of a simulated office, and the way it ends.
package struct OfficeSize: Sendable, Equatable {
    /// The office's behaviour when the simulated time is over.
    package enum Ending: String, Sendable, CaseIterable {
        /// Everybody leaves and every room and job ends: all gauges return to 0.
        case clean
        /// It stops while rooms are open: the gauges stay up.
        case open
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

    package init(
        organizations: Int = 3, rooms: Int = 4, users: Int = 20, length: Duration = .seconds(3_600),
        ending: Ending = .clean
    ) {
        precondition(organizations > 0 && rooms > 0 && users > 0, "an office has people and rooms")
        self.organizations = organizations
        self.rooms = rooms
        self.users = users
        self.length = length
        self.ending = ending
    }
}
