import CPostgres
package import Storage

/// One answer of the server. It is freed with this value.
package struct QueryResult: ~Copyable {
    private let handle: OpaquePointer

    init(_ handle: OpaquePointer) { self.handle = handle }

    deinit { PQclear(handle) }

    /// The status of the answer. Wraps `PQresultStatus`.
    var status: ExecStatusType { PQresultStatus(handle) }

    /// The number of rows that a statement changed. Wraps `PQcmdTuples`.
    package var changes: Int { PQcmdTuples(handle).flatMap { Int(String(cString: $0)) } ?? 0 }

    /// The command that was executed, such as `COMMIT`. Wraps `PQcmdStatus`.
    package var tag: String { PQcmdStatus(handle).map { String(cString: $0) } ?? "" }

    /// The type that the server inferred for the first parameter. Wraps `PQparamtype`.
    var firstParameterType: PostgresValue.TypeNumber? { PQnparams(handle) > 0 ? PQparamtype(handle, 0) : nil }

    /// A field of an error. Nil if the error does not have it. Wraps `PQresultErrorField`.
    func errorField(_ field: ErrorField) -> String? {
        PQresultErrorField(handle, Int32(field.rawValue)).map { String(cString: $0) }
    }

    /// The fields of an error. https://www.postgresql.org/docs/15/protocol-error-fields.html
    enum ErrorField: UInt8 {
        /// `PG_DIAG_SQLSTATE`
        case code = 0x43
        /// `PG_DIAG_MESSAGE_PRIMARY`
        case message = 0x4D
        /// `PG_DIAG_CONTEXT`
        case context = 0x57
        /// `PG_DIAG_SOURCE_FUNCTION`
        case function = 0x52
    }

    /// Returns all rows.
    package func rows() -> SQLRows {
        let columnCount = PQnfields(handle)
        let columns = (0..<columnCount).map { PQfname(handle, $0).map { String(cString: $0) } ?? "" }
        let types = (0..<columnCount).map { PQftype(handle, $0) }
        let rows = (0..<PQntuples(handle)).map { row in
            (0..<columnCount).map { column -> SQLValue in
                guard PQgetisnull(handle, row, column) == 0, let start = PQgetvalue(handle, row, column) else {
                    return .null
                }
                let bytes = UnsafeRawBufferPointer(start: start, count: Int(PQgetlength(handle, row, column)))
                return PostgresValue.value(String(decoding: bytes, as: UTF8.self), type: types[Int(column)])
            }
        }
        return SQLRows(columns: columns, rows: rows)
    }

    /// Returns all rows of a result in binary form.
    func values() -> [[BinaryValue]] {
        let columns = PQnfields(handle)
        return (0..<PQntuples(handle)).map { row in
            (0..<columns).map { column -> BinaryValue in
                guard PQgetisnull(handle, row, column) == 0, let start = PQgetvalue(handle, row, column) else {
                    return .null
                }
                let bytes = UnsafeRawBufferPointer(start: start, count: Int(PQgetlength(handle, row, column)))
                return BinaryValue(bytes, type: PQftype(handle, column))
            }
        }
    }
}
