/// A planned check of a room name: it is refreshed while something is open under it, and forgotten when it is not used.
struct RoomNameCheck: Sendable {
    let name: Slot<RoomNameState>
    /// `RoomNameState.number`. If the name has another one, the checked name was forgotten and its place used again.
    let number: UInt64
    let due_ms: Int64
}
