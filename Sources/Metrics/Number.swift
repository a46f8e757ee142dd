/// Writes numbers as Prometheus does.
package enum Number {
    /// Returns the shortest text that reads back as the same number: `30`, `0.1`, `+Inf`, `NaN`.
    package static func text(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if value.rounded() == value && abs(value) <= 0x1p53 { return String(Int64(value)) }
        return "\(value)"
    }

    /// Returns the canonical text of OpenMetrics, which label values such as `le` need because they are compared as
    /// text: `30.0`, `0.1`, `1e+06`, `+Inf`.
    /// https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md#considerations-canonical-numbers
    package static func canonical(_ value: Double) -> String {
        let shortest = "\(value)"
        guard value.isFinite, abs(value) >= 1e6, !shortest.contains("e") else {
            return value.isFinite ? shortest : text(value)
        }
        // Swift writes an exponent from 2^54 on, the canonical form from 10^6 on.
        let sign = value < 0 ? "-" : ""
        let parts = shortest.drop { $0 == "-" }.split(separator: ".")
        let exponent = parts[0].count - 1
        var digits = parts.joined()[...]
        while digits.count > 1, digits.hasSuffix("0") { digits.removeLast() }
        let fraction = digits.count > 1 ? "." + digits.dropFirst() : ""
        return "\(sign)\(digits.prefix(1))\(fraction)e+\(exponent < 10 ? "0" : "")\(exponent)"
    }
}
