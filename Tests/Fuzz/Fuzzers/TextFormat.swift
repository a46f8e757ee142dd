/// A strict reader of the text format 0.0.4, written from its description alone: nothing optional, nothing forgiven.
/// https://prometheus.io/docs/instrumenting/exposition_formats/#text-format-details
struct TextFormat {
    struct Sample: Hashable {
        /// Bytes: strings compare by characters, Prometheus does not.
        let name: [UInt8]
        let labels: [[[UInt8]]]
    }

    private(set) var values: [Sample: Double] = [:]
    private(set) var types: [[UInt8]: [UInt8]] = [:]
    private(set) var helps: [[UInt8]: [UInt8]] = [:]
    private var line: ArraySlice<UInt8> = []

    init(_ page: [UInt8]) {
        require(page.isEmpty || page.last == 0x0A, "the last line ends")
        require(String(validating: page, as: UTF8.self) != nil, "the page is UTF-8")
        for line in page.dropLast().split(separator: 0x0A, omittingEmptySubsequences: false) {
            self.line = line
            if take("# HELP ") {
                let name = word(colon: true)
                expect(" ")
                require(helps.updateValue(escaped(until: nil), forKey: name) == nil, "one help line each")
            } else if take("# TYPE ") {
                let name = word(colon: true)
                expect(" ")
                let type = word(colon: false)
                require(["counter", "gauge", "histogram"].contains { type.elementsEqual($0.utf8) }, "a known type")
                require(types.updateValue(type, forKey: name) == nil, "one type line each")
            } else {
                sample()
            }
            require(self.line.isEmpty, "nothing trails")
        }
    }

    private mutating func sample() {
        let name = word(colon: true)
        var labels: [[[UInt8]]] = []
        if take("{") {
            repeat {
                let label = word(colon: false)
                expect("=\"")
                labels.append([label, escaped(until: 0x22)])
                expect("\"")
            } while take(",")
            expect("}")
        }
        expect(" ")
        require(Set(labels.map { $0[0] }).count == labels.count, "a label comes once")
        let sample = Sample(name: name, labels: labels)
        require(values.updateValue(number(), forKey: sample) == nil, "a series comes once")
    }

    private mutating func number() -> Double {
        let text = String(decoding: line, as: UTF8.self)
        line = []
        switch text {
        case "NaN": return .nan
        case "+Inf": return .infinity
        case "-Inf": return -.infinity
        default:
            require(text.utf8.allSatisfy { "0123456789+-.e".utf8.contains($0) }, "a number is plain: \(text)")
            guard let value = Double(text) else { refute("\(text) is no number") }
            return value
        }
    }

    /// Up to `end`, with backslash, newline and, between quotes, quote escaped.
    private mutating func escaped(until end: UInt8?) -> [UInt8] {
        var text: [UInt8] = []
        while let byte = line.first, byte != end {
            line.removeFirst()
            guard byte == 0x5C else {
                text.append(byte)
                continue
            }
            switch line.popFirst() {
            case 0x5C: text.append(0x5C)
            case 0x6E: text.append(0x0A)
            case 0x22 where end != nil: text.append(0x22)
            default: refute("an unknown escape")
            }
        }
        return text
    }

    private mutating func word(colon: Bool) -> [UInt8] {
        let word = line.prefix {
            (0x61...0x7A).contains($0) || (0x41...0x5A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F
                || (colon && $0 == 0x3A)
        }
        line = line.dropFirst(word.count)
        guard let first = word.first, !(0x30...0x39).contains(first) else { refute("a name is missing") }
        return Array(word)
    }

    private mutating func take(_ text: String) -> Bool {
        guard line.starts(with: text.utf8) else { return false }
        line = line.dropFirst(text.utf8.count)
        return true
    }

    private mutating func expect(_ text: String) {
        require(take(text), "\(text) is missing before \(String(decoding: line, as: UTF8.self))")
    }
}
