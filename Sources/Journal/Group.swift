package import Wire

/// Entries that become durable together. They have consecutive numbers and are one row of the journal.
///
/// Its bytes are one protobuf message. The entries are field 1 (`repeated bytes entry = 1`), in order. Before them
/// stands the number of the rules that they are applied under (`uint64 rules = 2`). The number is left out where it is
/// 1, so a group of a program that knows no such number reads as rules 1.
///
/// Appending allocates nothing while the buffer suffices; `restart` keeps the buffer.
package struct Group: Sendable {
    /// The field of an entry in the bytes of a group.
    package static let entryField = 1
    /// The field of the number of the rules.
    package static let rulesField = 2

    /// The number of the first entry. It means nothing while there is none.
    package private(set) var first: Int64
    /// The number of entries in the group.
    package private(set) var count = 0
    /// The number of the rules that its entries are applied under.
    package let rules: Int
    private var writer = MessageWriter()

    /// - Parameter first: the number that the first entry will have.
    package init(first: Int64 = 1, rules: Int = 1) {
        precondition(rules >= 1, "rules are numbered from 1")
        self.first = first
        self.rules = rules
    }

    package var isEmpty: Bool { count == 0 }
    /// The number of the last entry; `first - 1` while there is none.
    package var last: Int64 { first + Int64(count) - 1 }
    package var size_bytes: Int { writer.count }
    /// The bytes as they are stored.
    package var bytes: [UInt8] { writer.bytes }

    /// Appends an entry that `body` encodes in place. `MessageWriter.Limits` bounds its size.
    package mutating func append(_ body: (inout MessageWriter) -> Void) {
        begin()
        writer.message(Self.entryField, body)
        count += 1
    }

    /// Appends an entry that is encoded already.
    package mutating func append(encoded bytes: [UInt8]) {
        begin()
        writer.field(Self.entryField, bytes: bytes)
        count += 1
    }

    private mutating func begin() {
        if count == 0 && rules > 1 { writer.field(Self.rulesField, UInt64(rules)) }
    }

    /// Numbers the entries from `first` on.
    package mutating func renumber(first: Int64) { self.first = first }

    /// Empties it, keeps its memory, and begins anew at `first`.
    package mutating func restart(first: Int64) {
        writer.removeAll()
        count = 0
        self.first = first
    }
}
