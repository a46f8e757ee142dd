package import Wire

extension SQLValue {
    /// The value as a point in time in the text formats of databases: RFC 3339, or ISO 8601 with a blank and without
    /// minutes in the time zone, as PostgreSQL writes it. A time without a zone is in UTC. Nil if the value is not a
    /// time.
    package var asTimestamp: Timestamp? {
        if case .time(let time) = self { return time }
        guard case .text(let text) = self else { return nil }
        var digits = TimeDigits(text)
        guard let year = digits.number(4), digits.take("-"), let month = digits.number(2), digits.take("-"),
            let day = digits.number(2), digits.take("T") || digits.take(" "), let hour = digits.number(2),
            digits.take(":"), let minute = digits.number(2), digits.take(":"), let second = digits.number(2),
            (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second <= 60
        else { return nil }
        let milliseconds = digits.take(".") ? digits.fraction() : 0
        guard let milliseconds, let zone_s = digits.zone() else { return nil }
        let date = CivilDate(year: year, month: month, day: day)
        let seconds = date.daysSinceEpoch * 86_400 + hour * 3_600 + minute * 60 + second - zone_s
        return Timestamp(milliseconds: Int64(seconds) * 1_000 + Int64(milliseconds))
    }
}

/// Parses the text of a time from left to right.
private struct TimeDigits {
    private var rest: Substring.UTF8View

    init(_ text: String) { rest = text[...].utf8 }

    mutating func take(_ sign: Unicode.Scalar) -> Bool {
        guard let first = rest.first, first == UInt8(ascii: sign) else { return false }
        rest.removeFirst()
        return true
    }

    mutating func number(_ count: Int) -> Int? {
        guard rest.count >= count else { return nil }
        var number = 0
        for _ in 0..<count {
            guard let digit = rest.first, (0x30...0x39).contains(digit) else { return nil }
            number = number * 10 + Int(digit - 0x30)
            rest.removeFirst()
        }
        return number
    }

    /// Reads the digits after the point, in milliseconds, rounded down.
    mutating func fraction() -> Int? {
        guard var milliseconds = number(1) else { return nil }
        for _ in 0..<2 { milliseconds = milliseconds * 10 + (number(1) ?? 0) }
        while number(1) != nil {}
        return milliseconds
    }

    /// Reads the time zone at the end, in seconds east of UTC.
    mutating func zone() -> Int? {
        if take("Z") || rest.isEmpty { return rest.isEmpty ? 0 : nil }
        let sign = take("-") ? -1 : take("+") ? 1 : 0
        guard sign != 0, var seconds = number(2).map({ $0 * 3_600 }) else { return nil }
        for unit in [60, 1] where take(":") {
            guard let part = number(2) else { return nil }
            seconds += part * unit
        }
        return rest.isEmpty ? sign * seconds : nil
    }
}
