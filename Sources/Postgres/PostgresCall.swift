import CPostgres
package import Storage

/// A statement with its parameters, ready to be sent.
package struct PostgresCall: Sendable {
    private enum Parameters {
        /// Both directions are text.
        case text([SQLValue])
        /// Both directions are binary.
        case binary([BinaryValue])
    }

    private let sql: String
    /// The name under which it is prepared; nil where it is not.
    private let name: String?
    private let parameters: Parameters

    /// Makes a call whose values are text in both directions.
    package init(_ sql: String, _ values: [SQLValue], preparedAs name: String?) {
        self.sql = sql
        self.name = name
        parameters = .text(values)
    }

    /// Makes a call whose values are binary in both directions. A prepared one has to be prepared with the types of
    /// these values.
    package init(_ sql: String, binary values: [BinaryValue], preparedAs name: String? = nil) {
        self.sql = sql
        self.name = name
        parameters = .binary(values)
    }

    /// Queues it on a connection. Wraps `PQsendQueryPrepared` and `PQsendQueryParams`.
    func send(_ handle: OpaquePointer) -> Bool {
        switch parameters {
        case .text(let values):
            PostgresValue.withParameters(values) { texts in
                let types = values.map { PostgresValue.type(of: $0) }
                return send(handle, types, texts, nil, nil, format: 0)
            }
        case .binary(let values): send(handle, values)
        }
    }

    private func send(_ handle: OpaquePointer, _ values: [BinaryValue]) -> Bool {
        var bytes: [UInt8] = []
        let lengths = values.map { value -> Int32 in
            let start = bytes.count
            value.append(to: &bytes)
            return Int32(bytes.count - start)
        }
        // A value without bytes needs an address, too: no address means NULL.
        bytes.append(0)
        return bytes.withUnsafeBytes { all in
            let start = all.baseAddress?.assumingMemoryBound(to: CChar.self)
            var offset = 0
            let pointers = zip(values, lengths).map { value, length -> UnsafePointer<CChar>? in
                defer { offset += Int(length) }
                return value == .null ? nil : start.map { $0 + offset }
            }
            let formats = [Int32](repeating: 1, count: values.count)
            return pointers.withUnsafeBufferPointer {
                send(handle, values.map(\.type), $0.baseAddress, lengths, formats, format: 1)
            }
        }
    }

    private func send(
        _ handle: OpaquePointer, _ types: [PostgresValue.TypeNumber],
        _ values: UnsafePointer<UnsafePointer<CChar>?>?, _ lengths: [Int32]?, _ formats: [Int32]?, format: Int32
    ) -> Bool {
        let count = Int32(types.count)
        if let name {
            return PQsendQueryPrepared(handle, name, count, values, lengths, formats, format) == 1
        }
        return PQsendQueryParams(handle, sql, count, types, values, lengths, formats, format) == 1
    }
}
