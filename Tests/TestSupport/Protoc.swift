import Platform

/// `protoc` as an independent reader of what the program writes.
package enum Protoc {
    /// `protoc` cannot read the message, or fields of it have no name in the schema.
    package struct ProtocError: Error, CustomStringConvertible {
        package let description: String
    }

    /// Returns the text of a message, with our schema.
    ///
    /// - Parameters:
    ///   - type: the full name, such as `lkpush.journal.Event`.
    ///   - schema: the name of a file in `proto`.
    package static func decode(_ bytes: [UInt8], as type: String, of schema: String) throws -> String {
        let folder = TemporaryFolder()
        let file = folder.file("message")
        try FileStore.replace(file, with: bytes)
        let command = "protoc --proto_path=\(Repository.root)/proto --decode=\(type) \(schema) < \(file)"
        let result = ChildProcess.run("/bin/sh", ["-c", command])
        guard result.status == 0 else { throw ProtocError(description: "\(type): \(result.output)") }
        return result.output
    }

    /// Returns the text of a message of `proto/journal.proto`. A field without a name there is an error.
    package static func decodeJournal(_ bytes: [UInt8], _ message: String) throws -> String {
        let text = try decode(bytes, as: "lkpush.journal.\(message)", of: "journal.proto")
        // A field without a name is shown by its number, and so is a value.
        let unknown = text.split(separator: "\n").filter { line in
            line.drop { $0 == " " }.first?.isNumber == true
        }
        guard unknown.isEmpty else { throw ProtocError(description: "\(message) has no name for \(unknown)") }
        return text
    }
}
