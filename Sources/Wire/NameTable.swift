/// Maps names to values, for `switch`es over the names of a message or of an enum.
///
/// Built once from a fixed list; a look-up costs a few nanoseconds and allocates nothing.
package struct NameTable<Value: Sendable>: Sendable {
    @usableFromInline let shift: UInt64
    /// Indices into `entries`, `vacant` where there is none. A power of two, at least four times the entries.
    @usableFromInline let slots: [UInt8]
    @usableFromInline let entries: [(name: JSONName, value: Value)]

    @inlinable
    static var vacant: UInt8 { 255 }

    /// A table of `names`; traps on a name that is there twice or too long, for both are mistakes of the program.
    package init(_ names: [(String, Value)]) {
        precondition(names.count < 64, "a table holds fewer than 64 names")
        var bits: UInt64 = 3
        while 1 << bits < names.count * 4 { bits += 1 }
        var slots = [UInt8](repeating: Self.vacant, count: 1 << bits)
        var entries: [(name: JSONName, value: Value)] = []
        for (text, value) in names {
            let name = JSONName(text)
            precondition(name != .unmatched, "a name has at most \(JSONName.bytes_max) bytes")
            var slot = Int(name.spread >> (64 - bits))
            while slots[slot] != Self.vacant {
                precondition(entries[Int(slots[slot])].name != name, "a name is in a table once")
                slot = (slot + 1) & (slots.count - 1)
            }
            slots[slot] = UInt8(entries.count)
            entries.append((name, value))
        }
        self.shift = 64 - bits
        self.slots = slots
        self.entries = entries
    }

    /// A table of protobuf field names, given as protojson writes them; their `snake_case` spelling is added, because a
    /// protojson reader takes both. https://protobuf.dev/programming-guides/json/
    package init(fields: [(String, Value)]) {
        var names: [(String, Value)] = []
        for (camelCase, value) in fields {
            names.append((camelCase, value))
            var snakeCase = ""
            for letter in camelCase {
                snakeCase += letter.isUppercase ? "_" + letter.lowercased() : String(letter)
            }
            if snakeCase != camelCase { names.append((snakeCase, value)) }
        }
        self.init(names)
    }

    /// The value of `name`; nil where the table does not have it.
    @inlinable
    package subscript(name: JSONName) -> Value? {
        var slot = Int(truncatingIfNeeded: name.spread >> shift)
        while true {
            let index = slots[slot]
            if index == Self.vacant { return nil }
            let entry = entries[Int(index)]
            if entry.name == name { return entry.value }
            slot = (slot &+ 1) & (slots.count &- 1)
        }
    }
}
