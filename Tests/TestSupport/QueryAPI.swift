import FoundationEssentials

/// The query API of Prometheus on a loopback port. Other receivers, such as VictoriaMetrics, have the same one.
package struct QueryAPI: Sendable {
    /// The result of a query for one series.
    package struct Series: Sendable, Equatable {
        /// The labels, including `__name__` if the result has it.
        package let labels: [String: String]
        /// Seconds and values. An instant query has one point.
        package let points: [Point]

        /// The value of the last point.
        package var value: Double { points.last?.value ?? .nan }
    }

    package struct Point: Sendable, Equatable {
        package let time: Double
        package let value: Double
    }

    /// The server did not start, or a query failed.
    package struct ServerError: Error, CustomStringConvertible {
        package let description: String
    }

    package let port: UInt16

    package init(port: UInt16) { self.port = port }

    /// The result of an instant query, at a time in seconds or now.
    package func query(_ expression: String, at time: Double? = nil) throws -> [Series] {
        let at = time.map { "&time=\($0)" } ?? ""
        return try result("/api/v1/query?query=\(Self.escaped(expression))\(at)")
    }

    /// The result of a range query. Times and step are in seconds.
    package func query(_ expression: String, from: Double, to: Double, step: Double) throws -> [Series] {
        try result(
            "/api/v1/query_range?query=\(Self.escaped(expression))&start=\(from)&end=\(to)&step=\(step)")
    }

    /// Repeats a query until its result satisfies the condition. Returns the last result, even if that never happens.
    package func wait(
        for expression: String, until condition: ([Series]) -> Bool
    ) throws -> [Series] {
        var result: [Series] = []
        _ = try eventually {
            result = try query(expression)
            return condition(result)
        }
        return result
    }

    private func result(_ target: String) throws -> [Series] {
        try decoded(QueryAnswer.self, from: target).data.result.map(\.series)
    }

    /// The JSON that answers a request, such as one for `/api/v1/rules`.
    package func decoded<Answer: Decodable>(_ type: Answer.Type, from target: String) throws -> Answer {
        let answer = try get(target)
        guard answer.hasPrefix("200"), let start = answer.firstIndex(of: "\n") else {
            throw ServerError(description: "\(target): \(answer)")
        }
        return try JSONDecoder().decode(type, from: Data(Array(answer[start...].dropFirst().utf8)))
    }

    /// Returns the status, a line break and the body.
    func get(_ target: String) throws -> String {
        let socket = try LoopbackSocket.connected(to: port)
        guard socket.write(Array("GET \(target) HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n".utf8)) else {
            throw ServerError(description: "no connection")
        }
        var buffer: [UInt8] = []
        guard let message = HTTPMessage.read(from: socket, buffer: &buffer) else {
            throw ServerError(description: "no answer")
        }
        let status = message.startLine.split(separator: " ").dropFirst().first ?? "?"
        return "\(status)\n" + String(decoding: message.body, as: UTF8.self)
    }

    private static func escaped(_ text: String) -> String {
        text.utf8.map { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: String(UnicodeScalar(byte))
            default: "%" + String(byte >> 4, radix: 16) + String(byte & 0xF, radix: 16)
            }
        }.joined()
    }
}

/// https://prometheus.io/docs/prometheus/latest/querying/api/#expression-query-result-formats
private struct QueryAnswer: Decodable {
    struct Content: Decodable { let result: [Entry] }

    struct Entry: Decodable {
        let metric: [String: String]
        let value: Pair?
        let values: [Pair]?

        var series: QueryAPI.Series {
            let pairs = values ?? value.map { [$0] } ?? []
            return .init(labels: metric, points: pairs.map { .init(time: $0.time, value: $0.value) })
        }
    }

    /// `[1700000000.123, "1.5"]`
    struct Pair: Decodable {
        let time: Double
        let value: Double

        init(from decoder: any Decoder) throws {
            var list = try decoder.unkeyedContainer()
            time = try list.decode(Double.self)
            value = Double(try list.decode(String.self)) ?? .nan
        }
    }

    let data: Content
}
