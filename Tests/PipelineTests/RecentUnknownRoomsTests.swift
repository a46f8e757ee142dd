import Pipeline
import Platform
import Recording
import Status
import Storage
import Testing
import Wire

/// The rooms without an organization, as the status page shows them.
@Suite struct RecentUnknownRoomsTests {
    private typealias Limits = RecentUnknownRooms.Limits

    private let wall = Timestamp(seconds: 1_790_000_000)

    private func at(_ seconds: Int) -> MonotonicTime { MonotonicTime(nanoseconds: 0) + .seconds(seconds) }

    private func shown(
        _ rooms: inout RecentUnknownRooms, at seconds: Int, known: Set<String> = []
    ) -> RecentUnknownRooms.Shown {
        rooms.shown(at: at(seconds), wall: wall, .database) { known.contains($0) }
    }

    @Test func `a room is there once for each reason, the newest first, with what to do`() {
        var rooms = RecentUnknownRooms()
        rooms.note("a", .room_not_found, at: at(0))
        rooms.note("b", .no_org_id, at: at(1))
        rooms.note("a", .no_organization, at: at(2))
        rooms.note("a", .room_not_found, at: at(3))
        let shown = shown(&rooms, at: 10)
        #expect(shown.rooms.map(\.room) == ["a", "a", "b"])
        #expect(shown.rooms.map(\.reason) == ["room_not_found", "no_organization", "no_org_id"])
        #expect(shown.rooms.map(\.at) == [wall - .seconds(7), wall - .seconds(8), wall - .seconds(9)])
        #expect(shown.rooms[0].what.contains("finds no room whose id is this name"))
        #expect(shown.rooms[0].action.contains("ORG_LOOKUP_SQL"))
        #expect(shown.omitted == 0)
    }

    @Test func `an answer of the database ends that it did not answer`() {
        var rooms = RecentUnknownRooms()
        rooms.note("a", .lookup_error, at: at(0))
        rooms.note("b", .lookup_error, at: at(0))
        rooms.note("a", .room_not_found, at: at(1))
        let shown = shown(&rooms, at: 2)
        #expect(shown.rooms.map(\.room) == ["a", "b"])
        #expect(shown.rooms.map(\.reason) == ["room_not_found", "lookup_error"])
    }

    @Test func `a room leaves when its organization is found, and an hour after its last event`() {
        var rooms = RecentUnknownRooms()
        for name in ["a", "b", "c"] { rooms.note(name, .room_not_found, at: at(0)) }
        rooms.note("b", .room_not_found, at: at(1_000))
        #expect(shown(&rooms, at: 1_001, known: ["a"]).rooms.map(\.room) == ["b", "c"])
        #expect(shown(&rooms, at: 3_599).rooms.map(\.room) == ["b", "c"])
        #expect(shown(&rooms, at: 3_600).rooms.map(\.room) == ["b"])
        #expect(shown(&rooms, at: 4_600).rooms.isEmpty)
        #expect(rooms.count == 0)
    }

    @Test func `of many rooms the newest are shown, the others are counted, and the memory is bounded`() {
        var rooms = RecentUnknownRooms()
        for number in 0..<100 { rooms.note("room \(number)", .no_organization, at: at(number)) }
        let some = shown(&rooms, at: 100)
        #expect(some.rooms.map(\.room) == (80..<100).reversed().map { "room \($0)" })
        #expect(some.omitted == 80)
        for number in 0..<(3 * Limits.rooms) {
            rooms.note("next \(number)", .no_organization, at: at(200))
            #expect(rooms.count <= Limits.rooms)
        }
        #expect(rooms.count > Limits.rooms / 2)
        #expect(shown(&rooms, at: 200).rooms.count == Limits.shown)
    }

    @Test func `a name is cut to its beginning, however long it is, and spelled out`() {
        var rooms = RecentUnknownRooms()
        rooms.note(String(repeating: "x", count: 100_000), .no_org_id, at: at(0))
        rooms.note("\u{202E}evil", .no_org_id, at: at(1))
        let shown = shown(&rooms, at: 1).rooms.map(\.room)
        #expect(shown == ["\\u{202E}evil", String(repeating: "x", count: 64)])
    }
}
