import CMicroHTTPD
import Glibc

/// The body length that a request's header announces.
enum AnnouncedBody: Equatable {
    case none
    case bytes(Int)
    /// The body comes in chunks.
    case unknown
    /// The header has two lengths, a length and chunks, or an encoding other than chunks. A proxy in front may read it
    /// differently, so that one request hides in the body of another (request smuggling).
    /// https://www.rfc-editor.org/rfc/rfc9112#section-6.3
    case ambiguous

    private struct Count {
        var lengths = 0
        var encodings = 0
        var isChunked = true
        var length = 0
    }

    /// Reads the header. The library has refused lengths that are not numbers. Wraps `MHD_get_connection_values`.
    init(_ connection: OpaquePointer) {
        var count = Count()
        MHD_get_connection_values(connection, .HEADER_KIND, Self.visit, &count)
        switch (count.lengths, count.encodings) {
        case (0, 0): self = .none
        case (1, 0): self = count.length == 0 ? .none : .bytes(count.length)
        case (0, 1): self = count.isChunked ? .unknown : .ambiguous
        default: self = .ambiguous
        }
    }

    private static let visit: MHD_KeyValueIterator = { context, _, name, value in
        guard let count = context?.assumingMemoryBound(to: Count.self), let name, let value else { return .YES }
        if strcasecmp(name, "Content-Length") == 0 {
            count.pointee.lengths += 1
            count.pointee.length = strtol(value, nil, 10)
        } else if strcasecmp(name, "Transfer-Encoding") == 0 {
            count.pointee.encodings += 1
            count.pointee.isChunked = strcasecmp(value, "chunked") == 0
        }
        return .YES
    }
}
