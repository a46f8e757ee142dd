internal import Wire

/// Maps names to values, for a `switch` over the field names of a message or the value names of an enum. It is built
/// once from a fixed list.
struct NameTable<Value: Sendable>: Sendable {
    private let index: NameIndex
    private let values: [Value]

    /// Builds a table of `names`. Traps on a name that is there twice or is too long: both are mistakes of the program.
    init(_ names: [(String, Value)]) {
        index = NameIndex(names.map(\.0))
        values = names.map(\.1)
    }

    /// Builds a table of protobuf field names, given as protojson writes them. It adds their `snake_case` spelling,
    /// because a protojson reader accepts both. https://protobuf.dev/programming-guides/json/
    init(fields: [(String, Value)]) {
        var names: [(String, Value)] = []
        for (camelCase, value) in fields {
            names.append((camelCase, value))
            let snakeCase = Self.snakeCase(camelCase)
            if snakeCase != camelCase { names.append((snakeCase, value)) }
        }
        self.init(names)
    }

    private static func snakeCase(_ camelCase: String) -> String {
        var name = ""
        for letter in camelCase { name += letter.isUppercase ? "_" + letter.lowercased() : String(letter) }
        return name
    }

    /// The value of `name`; nil if it is not in the table.
    subscript(name: JSONName) -> Value? { index.place(of: name).map { values[$0] } }
}
