import Wire

/// Writes a registry as a page of text in one of the two formats that Prometheus reads.
package enum Exposition {
    /// The text formats. Their differences are decided here and in `FamilyDescriptor`.
    package enum Format: Sendable, CaseIterable {
        /// https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
        case text
        /// https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md
        case openMetrics

        /// The value of `Content-Type`.
        package var contentType: String {
            switch self {
            case .text: "text/plain; version=0.0.4; charset=utf-8"
            case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
            }
        }
    }

    /// Reads every series once and appends the page, with families and series sorted.
    package static func append(_ registry: Registry, as format: Format = .text, to page: inout [UInt8]) {
        registry.collect()
        for (family, series) in registry.snapshot() {
            appendHead(of: family, as: format, to: &page)
            for series in series { append(series, as: format, to: &page) }
        }
        if format == .openMetrics { page.append(contentsOf: "# EOF\n".utf8) }
    }

    private static func appendHead(of family: FamilyDescriptor, as format: Format, to page: inout [UInt8]) {
        let name = format == .text ? family.name : family.stem
        let help = escaped(family.help, quotes: format == .openMetrics)
        page.append(contentsOf: "# HELP \(name) \(help)\n# TYPE \(name) \(family.kind.name)\n".utf8)
        if format == .openMetrics, let unit = family.unit {
            page.append(contentsOf: "# UNIT \(name) \(unit)\n".utf8)
        }
    }

    private static func append(_ series: Series, as format: Format, to page: inout [UInt8]) {
        var labels: [UInt8] = []
        for (name, value) in zip(series.family.labelNames, series.labelValues) {
            if !labels.isEmpty { labels.append(UInt8(ascii: ",")) }
            appendLabel(name, value, to: &labels)
        }
        let name = series.family.name
        switch series.instrument {
        case .counter(let counter): append(name, labels, counter.value, to: &page)
        case .gauge(let gauge): return append(name, labels, gauge.value, to: &page)
        case .histogram(let histogram):
            let state = histogram.current
            var cumulative: UInt64 = 0
            for (index, count) in state.counts.enumerated() {
                cumulative += count
                var bucket = labels
                if !bucket.isEmpty { bucket.append(UInt8(ascii: ",")) }
                let bound = index < histogram.bounds.count ? histogram.bounds[index] : .infinity
                appendLabel("le", format == .text ? Number.text(bound) : Number.canonical(bound), to: &bucket)
                append(name + "_bucket", bucket, Double(cumulative), to: &page)
            }
            append(name + "_sum", labels, state.sum, to: &page)
            append(name + "_count", labels, Double(cumulative), to: &page)
        }
        if format == .openMetrics, let created = series.created {
            append(series.family.stem + "_created", labels, created.seconds, to: &page)
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

    /// Escapes a help sentence. Only OpenMetrics escapes quotation marks in it.
    private static func escaped(_ help: String, quotes: Bool) -> String {
        var escaped = ""
        for character in help.unicodeScalars {
            switch character {
            case "\\": escaped += #"\\"#
            case "\n": escaped += #"\n"#
            case "\"" where quotes: escaped += #"\""#
            default: escaped.unicodeScalars.append(character)
            }
        }
        return escaped
    }
}
