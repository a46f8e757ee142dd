/// A room name that is to be looked at again: refreshed while it is open, forgotten when it is not used.
struct RoomNameCheck: Sendable {
    let name: Slot<RoomNameState>
    /// `RoomNameState.number`: another one means that the name was forgotten and its place used again.
    let number: UInt64
    let due_ms: Int64
}
