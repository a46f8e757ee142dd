internal import Wire

/// Maps names to values, for `switch`es over the names of a message or of an enum. Built once from a fixed list.
struct NameTable<Value: Sendable>: Sendable {
    private let index: NameIndex
    private let values: [Value]

    /// A table of `names`; traps on a name that is there twice or too long, for both are mistakes of the program.
    init(_ names: [(String, Value)]) {
        index = NameIndex(names.map(\.0))
        values = names.map(\.1)
    }

    /// A table of protobuf field names, given as protojson writes them; their `snake_case` spelling is added, because a
    /// protojson reader takes both. https://protobuf.dev/programming-guides/json/
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

    /// The value of `name`; nil where the table does not have it.
    subscript(name: JSONName) -> Value? { index.place(of: name).map { values[$0] } }
}
