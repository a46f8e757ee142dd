import Platform
import Wire

/// Figures as people read them.
enum Figures {
    private enum Limits {
        /// A larger number can only be a mistake of the sender, and would not fit into an integer.
        static let number = 1e15
    }

    static func count(_ number: Int) -> String { UnitText.grouped(number) }

    static func count(_ number: Int, _ one: String, _ many: String) -> String {
        "\(count(number)) \(number == 1 ? one : many)"
    }

    static func rate(_ perSecond: Double?) -> String { perSecond.map { decimal($0) + "/s" } ?? "-/s" }

    /// One digit behind the point below 10.
    static func decimal(_ number: Double) -> String {
        let number = bounded(number)
        guard number.magnitude < 9.95 else { return count(Int(number.rounded())) }
        let tenths = Int((number * 10).rounded())
        return "\(tenths < 0 ? "-" : "")\(tenths.magnitude / 10).\(tenths.magnitude % 10)"
    }

    static func size(_ bytes: Int) -> String {
        let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]
        var number = Double(bytes)
        var unit = 0
        while number >= 1_024 && unit < units.count - 1 {
            number /= 1_024
            unit += 1
        }
        return unit == 0 ? "\(bytes) B" : "\(decimal(number)) \(units[unit])"
    }

    static func percent(_ ratio: Double) -> String { decimal(ratio * 100) + "%" }

    /// A short time in the unit that suits it.
    static func time(_ seconds: Double) -> String {
        let seconds = bounded(seconds)
        if seconds.magnitude < 0.0995 { return decimal(seconds * 1_000) + " ms" }
        if seconds.magnitude < 9.95 {
            let hundredths = Int((seconds.magnitude * 100).rounded())
            let fraction = hundredths % 100
            return "\(seconds < 0 ? "-" : "")\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction) s"
        }
        return UnitText.rough(.milliseconds(Int64(seconds * 1_000)))
    }

    /// The time between two moments; 0 if clocks disagree.
    static func span(_ from: Timestamp, _ to: Timestamp) -> String { UnitText.rough(max(.zero, to.since(from))) }

    static func ago(_ time: Timestamp, _ now: Timestamp) -> String { span(time, now) + " ago" }

    static func clock(_ time: Timestamp) -> String {
        let civil = CivilTime(time)
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(two(civil.hour)):\(two(civil.minute)):\(two(civil.second))"
    }

    /// A value of a plot, in the unit that its name ends with.
    static func value(_ value: Double, of plot: String) -> String {
        if plot.hasSuffix("_bytes") { return size(Int(bounded(value))) }
        if plot.hasSuffix("_per_second") { return rate(value) }
        if plot.hasSuffix("_seconds") { return time(value) }
        if plot.hasSuffix("_ratio") { return percent(value) }
        return decimalOrWhole(value)
    }

    /// The name of a plot without its unit.
    static func title(of plot: String) -> String {
        var name = plot[...]
        for suffix in ["_memory_bytes", "_bytes", "_per_second", "_seconds", "_ratio"] where name.hasSuffix(suffix) {
            name = name.dropLast(suffix.count)
            break
        }
        return String(name.replacing("_", with: " "))
    }

    private static func decimalOrWhole(_ number: Double) -> String {
        let number = bounded(number)
        return number == number.rounded() ? count(Int(number)) : decimal(number)
    }

    private static func bounded(_ number: Double) -> Double {
        number.isNaN ? 0 : min(max(number, -Limits.number), Limits.number)
    }
}
