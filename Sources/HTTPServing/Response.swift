import CMicroHTTPD

/// A response that any thread can send any number of times: make the frequent ones once.
///
/// `@unchecked Sendable`: the handle is not changed after `init`, and the library counts its users under a lock.
package final class Response: @unchecked Sendable {
    package let status: UInt32
    let handle: OpaquePointer

    /// - Parameters:
    ///   - headers: names and values without line breaks; the library adds length, date and connection.
    ///   - body: the bytes, which are copied.
    package init(status: UInt32, headers: KeyValuePairs<String, String> = [:], body: [UInt8] = []) {
        var body = body
        let made = body.withUnsafeMutableBytes {
            MHD_create_response_from_buffer($0.count, $0.baseAddress, .RESPMEM_MUST_COPY)
        }
        guard let made else { preconditionFailure("no memory for an HTTP response") }
        for (name, value) in headers {
            precondition(MHD_add_response_header(made, name, value) == .YES, "a response header is malformed")
        }
        self.status = status
        handle = made
    }

    deinit { MHD_destroy_response(handle) }

    /// Makes a short text for people and probes.
    package static func text(_ status: UInt32, _ text: String, headers: KeyValuePairs<String, String> = [:]) -> Response
    {
        let response = Response(status: status, headers: headers, body: Array(text.utf8))
        precondition(
            MHD_add_response_header(response.handle, "Content-Type", "text/plain; charset=utf-8") == .YES,
            "a response header is malformed")
        return response
    }
}
