import Wire

/// Reads and writes durations and sizes in the form that settings have.
package enum UnitText {
    private static let durations: [(unit: String, milliseconds: Int64)] = [
        ("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
    ]
    private static let sizes: [(unit: String, bytes: Int)] = [
        ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40), ("B", 1),
    ]

    /// Reads `500ms`, `15s`, `10m`, `1h`, `90d`, and several of them from the largest unit down, such as `1m30s`. `0`
    /// needs no unit. Returns nil for anything else.
    package static func duration(_ text: String) -> Duration? {
        if text == "0" { return .zero }
        var rest = text[...]
        var sum: Int64 = 0
        var smallest = Int64.max
        repeat {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            let unit = rest[digits.endIndex...].prefix { !($0.isASCII && $0.isNumber) }
            guard let number = Int64(digits), let factor = durations.first(where: { $0.unit == unit })?.milliseconds,
                factor < smallest
            else { return nil }
            let (part, isTooMuch) = number.multipliedReportingOverflow(by: factor)
            let (more, isTooLong) = sum.addingReportingOverflow(part)
            guard !isTooMuch, !isTooLong else { return nil }
            sum = more
            smallest = factor
            rest = rest[unit.endIndex...]
        } while !rest.isEmpty
        return .milliseconds(sum)
    }

    /// Reads `512KiB`, `4MiB`, `1GiB` or `100B`. `0` needs no unit. Returns nil for anything else.
    package static func size(_ text: String) -> ByteCount? {
        if text == "0" { return ByteCount(0) }
        guard let (number, unit) = split(text), let factor = sizes.first(where: { $0.unit == unit }) else {
            return nil
        }
        let (bytes, overflow) = number.multipliedReportingOverflow(by: factor.bytes)
        return overflow ? nil : ByteCount(bytes)
    }

    /// The number in the largest unit that divides it.
    package static func text(_ duration: Duration) -> String {
        let milliseconds = duration.milliseconds
        for (unit, factor) in durations.reversed() where milliseconds != 0 && milliseconds % factor == 0 {
            return "\(milliseconds / factor)\(unit)"
        }
        return "\(milliseconds)ms"
    }

    /// The number in its two largest units, for people: `2 h 5 min`. Parts below a second are left out.
    package static func rough(_ duration: Duration) -> String {
        let seconds = duration.milliseconds / 1_000
        for (size, unit, small, next) in [(86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s")]
            as [(Int64, String, Int64, String)] where seconds >= size
        {
            let rest = seconds % size / small
            return rest == 0 ? "\(seconds / size) \(unit)" : "\(seconds / size) \(unit) \(rest) \(next)"
        }
        return "\(seconds) s"
    }

    /// The size in its largest unit of which there are at least 10, rounded down, for people: `11 GiB`, `4096 B`.
    package static func rough(_ size: ByteCount) -> String {
        let large = sizes.filter { $0.bytes > 1 }.sorted { $0.bytes > $1.bytes }
        for (unit, bytes) in large where size.bytes >= 10 * bytes { return "\(size.bytes / bytes) \(unit)" }
        return "\(size.bytes) B"
    }

    /// The number with a comma before each three digits, for people.
    package static func grouped(_ number: Int) -> String {
        let digits = String(number.magnitude)
        var text = number < 0 ? "-" : ""
        for (place, digit) in digits.enumerated() {
            if place > 0 && (digits.count - place) % 3 == 0 { text += "," }
            text.append(digit)
        }
        return text
    }

    private static func split(_ text: String) -> (number: Int, unit: String)? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let number = Int(digits) else { return nil }
        return (number, String(text[digits.endIndex...]))
    }
}
