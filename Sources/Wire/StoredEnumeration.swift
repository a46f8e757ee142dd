/// An enumeration that is stored: each case has a number that never changes.
package protocol StoredEnumeration: Equatable, Sendable {
    /// All cases: the one with number 0, which is not written, then those with 1, 2 and so on. New ones come last.
    static var inStoredOrder: [Self] { get }
}

extension MessageWriter {
    /// A case by its number.
    package mutating func field(_ number: Int, _ value: some StoredEnumeration) {
        field(number, UInt64(type(of: value).inStoredOrder.firstIndex { $0 == value } ?? 0))
    }
}

extension MessageReader {
    /// A case by its number. Throws on a number that this program does not know.
    package mutating func enumeration<E: StoredEnumeration>(_: E.Type = E.self) throws(MessageFault) -> E {
        let number = try uint64()
        guard number < UInt64(E.inStoredOrder.count) else { throw MessageFault("a number stands for nothing known") }
        return E.inStoredOrder[Int(number)]
    }
}
