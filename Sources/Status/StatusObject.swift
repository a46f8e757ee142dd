package import Wire

/// An object of the status documents. It declares its fields once, in `visit`: what writes, reads and documents them
/// are visitors.
package protocol StatusObject: StatusValue {
    /// Makes an object whose fields are all absent.
    init()
    /// Passes every field to the visitor, in the order of the document.
    mutating func visit<Visitor: StatusVisitor>(_ visitor: inout Visitor) throws(Visitor.Fault)
}

/// Something that is done with every field of an object.
package protocol StatusVisitor {
    associatedtype Fault: Error

    /// Takes one field.
    ///
    /// - Parameters:
    ///   - name: stable: a field may be added, but none changes its name or its meaning.
    ///   - help: a phrase with its unit.
    mutating func field<Value: StatusValue>(
        _ name: StaticString, _ value: inout Value, _ help: StaticString
    ) throws(Fault)
}

/// A field, for the documentation.
package struct StatusFieldDescription: Sendable {
    package let name: String
    package let shape: StatusShape
    package let help: String
}

extension StatusObject {
    package static var absent: Self { Self() }

    package static var shape: StatusShape {
        var describer = StatusDescriber()
        var object = Self()
        object.visit(&describer)
        return .object(describer.fields)
    }

    package func append(to json: inout [UInt8]) {
        json.append(UInt8(ascii: "{"))
        var writer = StatusWriter(json: json)
        json = []
        // The writer changes no field.
        var object = self
        object.visit(&writer)
        json = writer.json
        json.append(UInt8(ascii: "}"))
    }

    /// The object as JSON.
    package var json: [UInt8] {
        var bytes: [UInt8] = []
        append(to: &bytes)
        return bytes
    }

    package static func read(_ input: inout StatusInput) throws(DecodingFault) -> Self {
        var object = Self()
        guard try input.beginObject() else { return object }
        while let name = try input.nextKey() {
            var field = StatusFieldReader(name: name, input: input)
            try object.visit(&field)
            input = field.input
            // A newer lkpush may have fields that this one does not know.
            if !field.isRead { try input.skip() }
        }
        return object
    }

    /// Reads an object from a whole document.
    package init(json: [UInt8]) throws(DecodingFault) {
        var input = StatusInput(json)
        self = try Self.read(&input)
        try input.finish()
    }
}
