import CPostgres

/// The codes of the warnings that a server sent over one connection.
///
/// libpq calls the receiver on the thread that reads answers, which is the one that owns the connection. The connection
/// keeps this object for longer than libpq's handle lives.
final class Notices {
    private enum Limits {
        /// Codes that are kept: more than any transaction of lkpush can cause.
        static let codes = 100
    }

    private var codes: [String] = []

    /// Collects the warnings of this connection. Wraps `PQsetNoticeReceiver`.
    func receive(from handle: OpaquePointer) {
        PQsetNoticeReceiver(
            handle,
            { context, result in
                guard let context, let result else { return }
                Unmanaged<Notices>.fromOpaque(context).takeUnretainedValue().note(result)
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    /// Returns the codes since the last call.
    func take() -> [String] {
        defer { codes.removeAll() }
        return codes
    }

    /// Wraps `PQresultErrorField`.
    private func note(_ result: OpaquePointer) {
        let field = QueryResult.ErrorField.code
        guard codes.count < Limits.codes, let code = PQresultErrorField(result, Int32(field.rawValue)) else { return }
        codes.append(String(cString: code))
    }
}
