/// The status and the wanted headers of an answer, taken line by line. It is pure: whatever a peer sends, it holds at most
/// one value of limited length per wanted header.
package struct ResponseHead: Sendable, Equatable {
    package enum Limits {
        /// The longest line that is read. No header that we use is longer.
        package static let line_bytes = 1_024
    }

    /// The names of the headers to keep, in lower case.
    private let wanted: Set<String>
    /// The kept headers, by name in lower case. The last one of a name counts.
    package private(set) var headers: [String: String] = [:]
    /// The status of the newest status line. 0 if there is none that can be read.
    private var status = 0
    /// True if a head has ended that is not an interim one. https://www.rfc-editor.org/rfc/rfc9110#section-15.2
    package private(set) var isComplete = false

    package init(wanted: Set<String>) { self.wanted = wanted }

    /// Takes a line with its end. A new status line starts a new head: the one before it was an interim answer.
    package mutating func take(_ line: some RandomAccessCollection<UInt8>) {
        if line.starts(with: "HTTP/".utf8) {
            headers.removeAll(keepingCapacity: true)
            status = Self.status(of: line)
            isComplete = false
            return
        }
        // What follows the body of a complete head does not change it.
        if isComplete { return }
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else {
            // A line that holds nothing ends the head. Other lines without a colon are no headers.
            isComplete = status >= 200 && line.allSatisfy { $0 <= 0x20 }
            return
        }
        guard line.count <= Limits.line_bytes else { return }
        let name = String(decoding: line[..<colon], as: UTF8.self).lowercased()
        guard wanted.contains(name) else { return }
        let value = line[line.index(after: colon)...].drop { $0 <= 0x20 }
        let end = value.lastIndex { $0 > 0x20 }.map { value.index(after: $0) } ?? value.startIndex
        headers[name] = String(decoding: value[..<end], as: UTF8.self)
    }

    /// The three digits after the version.
    private static func status(of line: some RandomAccessCollection<UInt8>) -> Int {
        let digits = line.drop { $0 != 0x20 }.drop { $0 == 0x20 }.prefix(3)
        guard digits.count == 3, digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return 0 }
        return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }
}
