/// An enumeration that is written to disk: each case has a number that never changes.
package protocol StoredEnumeration: Equatable, Sendable {
    /// All cases in the order of their numbers. The case with number 0 is not written. New cases are added at the end.
    static var inStoredOrder: [Self] { get }
}

extension MessageWriter {
    /// Writes the number of a case.
    package mutating func field(_ number: Int, _ value: some StoredEnumeration) {
        field(number, UInt64(type(of: value).inStoredOrder.firstIndex { $0 == value } ?? 0))
    }
}

extension MessageReader {
    /// Reads a case by its number. Throws if this program does not know the number.
    package mutating func enumeration<E: StoredEnumeration>(_: E.Type = E.self) throws(MessageFault) -> E {
        let number = try uint64()
        guard number < UInt64(E.inStoredOrder.count) else { throw MessageFault("a number stands for nothing known") }
        return E.inStoredOrder[Int(number)]
    }
}
