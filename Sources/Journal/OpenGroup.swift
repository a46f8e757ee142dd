package import Wire

/// A group whose entries are read one after the other, for the cursors of both journals.
package struct OpenGroup {
    private var reader: MessageReader
    /// The number of the entry that comes next.
    package var number: Int64
    /// The number behind the last entry.
    package let end: Int64
    /// The number of the rules that its entries were noted with.
    package private(set) var rules = 1

    /// - Parameter bytes: the group as it is stored, `Group.bytes`.
    package init(_ bytes: [UInt8], from number: Int64, upTo end: Int64) {
        reader = MessageReader(bytes)
        self.number = number
        self.end = end
    }

    /// Returns the next entry; nil at the end, and where a malformed field ends the group.
    package mutating func entry() -> MessageReader? {
        while let field = try? reader.next() {
            switch field {
            case Group.entryField: return try? reader.message()
            case Group.rulesField:
                guard let rules = try? reader.uint64() else { return nil }
                // A number that is too large for `Int` is above all others all the same.
                self.rules = max(1, Int(clamping: rules))
            default: if (try? reader.skip()) == nil { return nil }
            }
        }
        return nil
    }
}
