/// An HTTP/1 message with a length, read from a socket. It is enough for both ends of a test.
package struct HTTPMessage: Sendable {
    package let startLine: String
    /// Names in lower case.
    package let headers: [String: String]
    package let body: [UInt8]

    /// Reads the next message; `buffer` keeps what came after it. Returns nil at the end of the connection.
    ///
    /// A response without a length ends with the connection.
    package static func read(from socket: LoopbackSocket, buffer: inout [UInt8]) -> HTTPMessage? {
        let separator: [UInt8] = [13, 10, 13, 10]
        var searched = 0
        var end: Int?
        while end == nil {
            if buffer.count >= 4 {
                end = (searched...(buffer.count - 4)).first { Array(buffer[$0..<($0 + 4)]) == separator }
                searched = buffer.count - 3
            }
            if end != nil { break }
            let chunk = socket.read()
            if chunk.isEmpty { return nil }
            buffer.append(contentsOf: chunk)
        }
        guard let end else { return nil }
        let lines = String(decoding: buffer[..<end], as: UTF8.self).split(
            omittingEmptySubsequences: true, whereSeparator: \.isNewline)
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { continue }
            headers[parts[0].lowercased()] = parts[1].drop { $0 == " " }.description
        }
        let startLine = lines.first.map(String.init) ?? ""
        buffer.removeFirst(end + 4)
        let isResponse = startLine.hasPrefix("HTTP/")
        let length = headers["content-length"].flatMap { Int($0) } ?? (isResponse ? .max : 0)
        while buffer.count < length {
            let chunk = socket.read(1 << 20)
            if chunk.isEmpty { break }
            buffer.append(contentsOf: chunk)
        }
        guard length == .max || buffer.count >= length else { return nil }
        let body = Array(buffer.prefix(length))
        buffer.removeFirst(body.count)
        return HTTPMessage(startLine: startLine, headers: headers, body: body)
    }
}
