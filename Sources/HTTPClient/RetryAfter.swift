package import Wire

/// The header `Retry-After`: seconds, or an HTTP date. https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
package enum RetryAfter {
    /// The wait from `now`. Nil if the text has neither form, or names a time that has passed.
    package static func parse(_ text: String, at now: Timestamp) -> Duration? {
        if !text.isEmpty && text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            // A number with more than nine digits is longer than any wait: it becomes the longest.
            return .seconds(text.utf8.count > 9 ? 1_000_000_000 : Int64(text) ?? 0)
        }
        guard let moment = date(text) else { return nil }
        let wait = moment.since(now)
        return wait > .zero ? wait : nil
    }

    /// Reads one of the three forms of an HTTP date. https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7
    package static func date(_ text: String) -> Timestamp? {
        let words = text.split { $0 == " " || $0 == "," || $0 == "-" }
        // Sun, 06 Nov 1994 08:49:37 GMT | Sunday, 06-Nov-94 08:49:37 GMT | Sun Nov  6 08:49:37 1994
        let isOld = words.count == 5
        guard words.count == 6 && words[5] == "GMT" || isOld else { return nil }
        guard let day = Int(words[isOld ? 2 : 1]), let month = months[String(words[isOld ? 1 : 2])],
            var year = Int(words[isOld ? 4 : 3]), (1...31).contains(day)
        else { return nil }
        if words[isOld ? 4 : 3].count == 2 { year += year < 70 ? 2_000 : 1_900 }
        let clock = words[isOld ? 3 : 4].split(separator: ":").map { Int($0) ?? -1 }
        guard clock.count == 3, (0...23).contains(clock[0]), (0...59).contains(clock[1]), (0...60).contains(clock[2]),
            (1...9_999).contains(year)
        else { return nil }
        let days = CivilDate(year: year, month: month, day: day).daysSinceEpoch
        return Timestamp(seconds: Int64(days * 86_400 + clock[0] * 3_600 + clock[1] * 60 + clock[2]))
    }

    private static let months = [
        "Jan": 1, "Feb": 2, "Mar": 3, "Apr": 4, "May": 5, "Jun": 6, "Jul": 7, "Aug": 8, "Sep": 9, "Oct": 10, "Nov": 11,
        "Dec": 12,
    ]
}

extension Response {
    /// The wait that the peer asks for, from `now`. Nil if it asks for none, or if its text cannot be read. It is known
    /// only if the transport records the header `retry-after`.
    package func retryAfter(at now: Timestamp) -> Duration? {
        headers["retry-after"].flatMap { RetryAfter.parse($0, at: now) }
    }
}
