/// Reads the Prometheus text format. Samples are named with their labels in order: `name{a="1",b="2"}`. It follows the
/// description of the format and not the product. https://prometheus.io/docs/instrumenting/exposition_formats/
enum Exposition {
    static func samples(_ text: String) -> [String: Double] {
        var samples: [String: Double] = [:]
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            guard let sample = sample(line) else { continue }
            samples[sample.key] = sample.value
        }
        return samples
    }

    private static func sample(_ line: Substring) -> (key: String, value: Double)? {
        let name = line.prefix { $0 != "{" && $0 != " " }
        var rest = line.dropFirst(name.count)
        var labels: [String: String] = [:]
        if rest.first == "{" {
            rest = rest.dropFirst()
            while rest.first != "}" {
                let label = rest.prefix { $0 != "=" }
                rest = rest.dropFirst(label.count + 2)
                var value = ""
                while let character = rest.popFirst(), character != "\"" {
                    if character == "\\", let escaped = rest.popFirst() {
                        value.append(escaped == "n" ? "\n" : escaped)
                    } else {
                        value.append(character)
                    }
                }
                labels[String(label)] = value
                if rest.first == "," { rest = rest.dropFirst() }
                if rest.isEmpty { return nil }
            }
            rest = rest.dropFirst()
        }
        let words = rest.split(separator: " ")
        guard let text = words.first, let value = number(text) else { return nil }
        return (key(String(name), labels), value)
    }

    static func number(_ text: Substring) -> Double? {
        switch text {
        case "+Inf": .infinity
        case "-Inf": -.infinity
        case "NaN": .nan
        default: Double(text)
        }
    }

    static func key(_ name: String, _ labels: [String: String]) -> String {
        let inside = labels.sorted { $0.key < $1.key }.map { "\($0.key)=\"\($0.value)\"" }
        return inside.isEmpty ? name : "\(name){\(inside.joined(separator: ","))}"
    }
}
