/// A hash table from the names of a fixed list to their places in it.
///
/// It is built once; a look-up costs a few nanoseconds and allocates nothing. It is not generic, so it is as fast in
/// other modules as in this one.
package struct NameIndex: Sendable {
    package enum Limits {
        /// The most names in one list: few enough that a byte holds each place and `vacant`.
        package static let names_max = 64
    }

    private static let vacant: UInt8 = 255

    private let names: [JSONName]
    /// The places of the names in `names`, or `vacant`. The size is a power of two and at least four times the number
    /// of names.
    private let slots: [UInt8]
    private let shift: UInt64

    /// Builds an index of `names`. Traps on a name that is there twice or is too long: both are mistakes of the
    /// program.
    package init(_ names: [String]) {
        precondition(names.count <= Limits.names_max, "a list holds at most \(Limits.names_max) names")
        var bits: UInt64 = 3
        while 1 << bits < names.count * 4 { bits += 1 }
        var slots = [UInt8](repeating: Self.vacant, count: 1 << bits)
        var known: [JSONName] = []
        for (place, text) in names.enumerated() {
            let name = JSONName(text)
            precondition(name != .unmatched, "a name has at most \(JSONName.bytes_max) bytes")
            precondition(!known.contains(name), "a name is in a list once")
            var slot = Int(name.spread >> (64 - bits))
            while slots[slot] != Self.vacant { slot = (slot + 1) & (slots.count - 1) }
            slots[slot] = UInt8(place)
            known.append(name)
        }
        self.names = known
        self.slots = slots
        shift = 64 - bits
    }

    /// Returns the place of `name`; nil if it is not in the list.
    package func place(of name: JSONName) -> Int? {
        var slot = Int(truncatingIfNeeded: name.spread >> shift)
        while true {
            let place = slots[slot]
            if place == Self.vacant { return nil }
            if names[Int(place)] == name { return Int(place) }
            slot = (slot &+ 1) & (slots.count &- 1)
        }
    }
}
