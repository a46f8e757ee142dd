import HTTPServing
import Platform

/// Pages of metrics, recorded before and served in turn, so that every scrape finds other values. No work is done for a
/// scrape but sending the bytes.
final class RecordedPages {
    private let server: Server

    init(_ pages: [[UInt8]]) throws(LoadGenerator.LoadError) {
        let responses = pages.map {
            Response(status: 200, headers: ["Content-Type": "text/plain; version=0.0.4; charset=utf-8"], body: $0)
        }
        let turn = Monitor(0)
        do throws(ServingError) {
            server = try Server(
                listen: ListenAddress(host: "127.0.0.1", port: 0),
                routes: [
                    Route(.get, "/metrics") { _, _ in
                        let index = turn.change { turn in
                            defer { turn += 1 }
                            return turn
                        }
                        return .respond(responses[index % responses.count])
                    }
                ], settings: ServerSettings(maxBody: .mebibytes(1), maxConnections: 100))
        } catch {
            throw LoadGenerator.LoadError(description: "\(error)")
        }
    }

    deinit { server.stop(deadline: SystemTime().monotonic()) }

    var address: String { "\(server.address)" }

    /// Reads a page from a program on this machine. Traps on nothing: a page that cannot be read is an error.
    static func record(port: UInt16) throws(LoadGenerator.LoadError) -> [UInt8] {
        let answer = try Loopback.get(port, "/metrics")
        let separator = Array("\r\n\r\n".utf8)
        guard answer.starts(with: "HTTP/1.1 200".utf8), let head = answer.firstRange(of: separator) else {
            throw LoadGenerator.LoadError(description: "the program shows no metrics")
        }
        return Array(answer[head.upperBound...])
    }

    /// Returns the value of a series of a page; nil if it is not there.
    static func value(_ series: String, in page: [UInt8]) -> Double? {
        let start = Array("\n\(series) ".utf8)
        guard let found = page.firstRange(of: start) else { return nil }
        return Double(String(decoding: page[found.upperBound...].prefix { $0 != 0x0A }, as: UTF8.self))
    }
}
