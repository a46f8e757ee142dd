/// The text format 0.0.4. https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
package enum Exposition {
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// Reads every series once and appends the page. Families and series are sorted.
    package static func append(_ registry: Registry, to page: inout [UInt8]) {
        registry.collect()
        for (family, series) in registry.snapshot() {
            page.append(contentsOf: "# HELP \(family.name) \(escapedHelp(family.help))\n".utf8)
            page.append(contentsOf: "# TYPE \(family.name) \(family.kind.name)\n".utf8)
            for series in series { append(series, to: &page) }
        }
    }

    private static func append(_ series: Series, to page: inout [UInt8]) {
        var labels: [UInt8] = []
        for (name, value) in zip(series.family.labelNames, series.labelValues) {
            if !labels.isEmpty { labels.append(UInt8(ascii: ",")) }
            appendLabel(name, value, to: &labels)
        }
        let name = series.family.name
        switch series.reading {
        case .counter(let counter): append(name, labels, counter.value, to: &page)
        case .gauge(let gauge): append(name, labels, gauge.value, to: &page)
        case .histogram(let histogram):
            let state = histogram.current
            var cumulative: UInt64 = 0
            for (index, count) in state.counts.enumerated() {
                cumulative += count
                var bucket = labels
                if !bucket.isEmpty { bucket.append(UInt8(ascii: ",")) }
                let bound = index < histogram.bounds.count ? histogram.bounds[index] : .infinity
                appendLabel("le", Number.text(bound), to: &bucket)
                append(name + "_bucket", bucket, Double(cumulative), to: &page)
            }
            append(name + "_sum", labels, state.sum, to: &page)
            append(name + "_count", labels, Double(cumulative), to: &page)
        }
    }

    private static func append(_ name: String, _ labels: [UInt8], _ value: Double, to page: inout [UInt8]) {
        page.append(contentsOf: name.utf8)
        if !labels.isEmpty {
            page.append(UInt8(ascii: "{"))
            page.append(contentsOf: labels)
            page.append(UInt8(ascii: "}"))
        }
        page.append(UInt8(ascii: " "))
        page.append(contentsOf: Number.text(value).utf8)
        page.append(UInt8(ascii: "\n"))
    }

    private static func appendLabel(_ name: String, _ value: String, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: name.utf8)
        bytes.append(contentsOf: "=\"".utf8)
        for byte in value.utf8 {
            switch byte {
            case UInt8(ascii: "\\"): bytes.append(contentsOf: #"\\"#.utf8)
            case UInt8(ascii: "\""): bytes.append(contentsOf: #"\""#.utf8)
            case 0x0A: bytes.append(contentsOf: #"\n"#.utf8)
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private static func escapedHelp(_ help: String) -> String {
        var escaped = ""
        for character in help.unicodeScalars {
            switch character {
            case "\\": escaped += #"\\"#
            case "\n": escaped += #"\n"#
            default: escaped.unicodeScalars.append(character)
            }
        }
        return escaped
    }
}

/// Numbers as Prometheus writes them.
package enum Number {
    /// The shortest text that reads back as the same number: `30`, `0.1`, `+Inf`, `NaN`.
    package static func text(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if value.rounded() == value && abs(value) <= 0x1p53 { return String(Int64(value)) }
        return "\(value)"
    }
}
