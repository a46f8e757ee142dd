/// How large a simulated office is and how it ends.
package struct OfficeSize: Sendable, Equatable {
    /// What happens when the simulated time is over.
    package enum Ending: String, Sendable, CaseIterable {
        /// Everybody leaves, every room and job ends: all gauges return to 0.
        case clean
        /// It stops in the middle of life: the gauges stay up.
        case open
    }

    package var organizations: Int
    /// Rooms of each organization.
    package var rooms: Int
    /// People of each organization.
    package var users: Int
    /// Length in the office's own time.
    package var length: Duration
    package var ending: Ending

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
