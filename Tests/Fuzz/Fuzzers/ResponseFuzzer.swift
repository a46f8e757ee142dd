import HTTPClient
import Wire

/// The head of an answer, line by line as curl passes it on, and the two headers with a form of their own.
struct ResponseFuzzer: Fuzzer {
    static let name = "response"
    private static let wanted: Set<String> = [
        "retry-after", "location", "content-type", "date", "x-prometheus-remote-write-samples-written",
        "x-prometheus-remote-write-histograms-written", "x-prometheus-remote-write-exemplars-written",
    ]
    private static let now = Timestamp(seconds: 1_790_000_010)

    func run(_ bytes: [UInt8]) {
        let lines = Self.lines(of: bytes)
        var head = ResponseHead(wanted: Self.wanted)
        for line in lines { head.take(line) }
        let expected = Self.read(lines)
        require(head.headers == expected.headers, "the headers are \(expected.headers), not \(head.headers)")
        require(head.isComplete == expected.isComplete, "complete: \(expected.isComplete)")
        // Memory that was not an array is read as well as an array: curl's is neither.
        var again = ResponseHead(wanted: Self.wanted)
        for line in lines { line.withUnsafeBufferPointer { again.take($0) } }
        require(again == head, "the kind of memory does not matter")

        for value in head.headers.values {
            require(value.utf8.count <= 3 * ResponseHead.Limits.line_bytes, "values have a limit")
            require(
                value.utf8.first ?? 0x21 > 0x20 && value.utf8.last ?? 0x21 > 0x20, "values have no blanks around them")
            Self.checkTimes(value)
        }
        Self.checkTimes(String(decoding: bytes, as: UTF8.self))
    }

    func show(_ bytes: [UInt8]) -> [UInt8]? {
        var head = ResponseHead(wanted: Self.wanted)
        for line in Self.lines(of: bytes) { head.take(line) }
        let headers = head.headers.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)\n" }.joined()
        return Array("\(headers)complete: \(head.isComplete)\n".utf8)
    }

    /// The lines with their ends.
    private static func lines(of bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        var lines: [ArraySlice<UInt8>] = []
        var rest = bytes[...]
        while let end = rest.firstIndex(of: 0x0A) {
            lines.append(rest[...end])
            rest = rest[(end + 1)...]
        }
        return rest.isEmpty ? lines : lines + [rest]
    }

    /// The same reading, made from the whole instead of line by line.
    private static func read(_ lines: [ArraySlice<UInt8>]) -> (headers: [String: String], isComplete: Bool) {
        let start = lines.lastIndex { $0.starts(with: "HTTP/".utf8) }
        let words = start.map { lines[$0].split(separator: 0x20, maxSplits: 1) } ?? []
        var status = 0
        if words.count == 2 {
            // Blanks before the status may be several. A sign is no digit, although a number may have one.
            let digits = words[1].drop { $0 == 0x20 }.prefix(3)
            let isNumber = digits.count == 3 && digits.allSatisfy { $0 >= 0x30 }
            status = isNumber ? Int(String(decoding: digits, as: UTF8.self)) ?? 0 : 0
        }
        var headers: [String: String] = [:]
        for line in lines[(start.map { $0 + 1 } ?? 0)...] {
            let parts = line.split(separator: 0x3A, maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 1 {
                if status >= 200 && line.allSatisfy({ $0 <= 0x20 }) { return (headers, true) }
                continue
            }
            let name = String(decoding: parts[0], as: UTF8.self).lowercased()
            guard wanted.contains(name), line.count <= ResponseHead.Limits.line_bytes else { continue }
            var value = parts[1]
            while let first = value.first, first <= 0x20 { value.removeFirst() }
            while let last = value.last, last <= 0x20 { value.removeLast() }
            headers[name] = String(decoding: value, as: UTF8.self)
        }
        return (headers, false)
    }

    private static func checkTimes(_ text: String) {
        if let wait = RetryAfter.parse(text, at: now) {
            require(wait >= .zero, "a wait is not negative")
            require(wait < .seconds(400_000_000_000), "a wait ends before the year 10000 is long past")
        }
        guard let moment = RetryAfter.date(text) else { return }
        let first = Timestamp(seconds: -62_135_596_800)
        require(moment >= first && moment.since(first) < .seconds(10_000 * 366 * 86_400), "a year from 1 to 9999")
        // The second 60 of the last year is in the next one.
        if CivilDate(moment).parts.year > 9_999 { return }
        require(RetryAfter.date(written(moment)) == moment, "a date that is written again is the same")
    }

    /// The usual form of an HTTP date. https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7
    private static func written(_ moment: Timestamp) -> String {
        let date = CivilDate(moment)
        let (year, month, day) = date.parts
        let second = Int(moment.milliseconds / 1_000) - date.daysSinceEpoch * 86_400
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        // A year with two digits would be one of the last century or of this one.
        let zeros = String(repeating: "0", count: max(0, 4 - "\(year)".count))
        return "Sun, \(two(day)) \(months[month - 1]) \(zeros)\(year) "
            + "\(two(second / 3_600)):\(two(second / 60 % 60)):\(two(second % 60)) GMT"
    }
}
