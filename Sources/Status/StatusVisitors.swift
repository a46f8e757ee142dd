import Wire

/// Writes the fields of an object.
struct StatusWriter: StatusVisitor {
    var json: [UInt8]
    private var isFirst = true

    init(json: [UInt8]) { self.json = json }

    mutating func field<Value: StatusValue>(_ name: StaticString, _ value: inout Value, _ help: StaticString) {
        if !isFirst { json.append(UInt8(ascii: ",")) }
        isFirst = false
        json.append(UInt8(ascii: "\""))
        json.append(contentsOf: name.description.utf8)
        json.append(contentsOf: "\":".utf8)
        value.append(to: &json)
    }
}

/// Reads the one field of an object that has this name.
struct StatusFieldReader: StatusVisitor {
    let name: String
    var input: StatusInput
    /// True if the object has such a field.
    private(set) var isRead = false

    init(name: String, input: StatusInput) {
        self.name = name
        self.input = input
    }

    mutating func field<Value: StatusValue>(
        _ name: StaticString, _ value: inout Value, _ help: StaticString
    ) throws(DecodingFault) {
        guard !isRead, name.description == self.name else { return }
        isRead = true
        value = try Value.read(&input)
    }
}

/// Collects the descriptions of an object's fields.
struct StatusDescriber: StatusVisitor {
    private(set) var fields: [StatusFieldDescription] = []

    mutating func field<Value: StatusValue>(_ name: StaticString, _ value: inout Value, _ help: StaticString) {
        fields.append(StatusFieldDescription(name: "\(name)", shape: Value.shape, help: "\(help)"))
    }
}
