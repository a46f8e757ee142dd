internal import Wire

/// The values of a protobuf enum, by name and by number.
struct EnumerationTable<Value: Sendable>: Sendable {
    private let absent: Value
    private let unknown: Value
    private let names: NameTable<Value>
    private let numbers: [(number: Int64, value: Value)]

    /// - Parameters:
    ///   - absent: the value of an absent field, which is that of number 0.
    ///   - unknown: the value for names and numbers that are not in the list. They are not a fault, because a newer
    ///     server may send them.
    init(absent: Value, unknown: Value, _ values: [(name: String, number: Int64?, value: Value)]) {
        self.absent = absent
        self.unknown = unknown
        names = NameTable(values.map { ($0.name, $0.value) })
        numbers = values.compactMap { entry in entry.number.map { ($0, entry.value) } }
    }

    subscript(enumeration: JSONEnumeration?) -> Value {
        switch enumeration {
        case nil: absent
        case .name(let name): names[name] ?? unknown
        case .number(let number): numbers.first { $0.number == number }?.value ?? unknown
        }
    }
}
