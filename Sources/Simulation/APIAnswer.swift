/// An answer of the server API, which is JSON. https://twitchtv.github.io/twirp/docs/spec_v7.html
package struct APIAnswer: Sendable, Equatable {
    /// The errors that the office's LiveKit knows. The raw value is the error's `code`.
    enum Failure: String, Sendable {
        case malformed
        case unauthenticated
        case not_found
        case bad_route

        var status: Int {
            switch self {
            case .malformed: 400
            case .unauthenticated: 401
            case .not_found, .bad_route: 404
            }
        }
    }

    /// The status of HTTP.
    package let status: Int
    package let body: [UInt8]

    init(status: Int, body: [UInt8]) {
        self.status = status
        self.body = body
    }

    init(_ failure: Failure, _ message: String) {
        status = failure.status
        body = ProtoJSON.message(.api) { json in
            json.string("code", failure.rawValue)
            json.string("msg", message)
        }
    }

    /// Makes an answer with one list.
    ///
    /// - Parameters:
    ///   - items: the elements as JSON.
    ///   - next: the token of the next page; empty if there is none. Nil for a list that has no pages.
    init(_ name: String, _ items: [[UInt8]], next: String?) {
        var body = Array(#"{"\#(name)":["#.utf8)
        body.reserveCapacity(body.count + items.reduce(64) { $0 + $1.count + 1 })
        for (place, item) in items.enumerated() {
            if place > 0 { body.append(UInt8(ascii: ",")) }
            body += item
        }
        body.append(UInt8(ascii: "]"))
        if let next { body += (#","next_page_token":"# + (next.isEmpty ? "null" : #"{"token":"\#(next)"}"#)).utf8 }
        body.append(UInt8(ascii: "}"))
        self.init(status: 200, body: body)
    }
}
