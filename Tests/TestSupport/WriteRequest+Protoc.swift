extension WriteRequest {
    /// Decodes a body with `protoc` and the schema in `proto`: a second reader beside the one of the tests.
    ///
    /// `protoc` prints every NaN alike, so the bits of a NaN are lost.
    package init(protoc raw: [UInt8], _ version: Version) throws {
        let text =
            switch version {
            case .v1: try Protoc.decode(raw, as: "lkpush.remotewrite.v1.WriteRequest", of: "remote_write_v1.proto")
            case .v2: try Protoc.decode(raw, as: "lkpush.remotewrite.v2.Request", of: "remote_write_v2.proto")
            }
        var request = WriteRequest(version)
        let root = try TextMessage(text)
        request.symbols = try root.texts("symbols")
        let symbols = request.symbols
        func symbol(_ reference: Int64?) throws -> String {
            let index = Int(reference ?? 0)
            guard symbols.indices.contains(index) else { throw RequestFault(description: "reference \(index)") }
            return symbols[index]
        }
        for part in root.messages("timeseries") {
            var series = TimeSeries()
            for label in part.messages("labels") {
                series.names.append(try label.texts("name").first ?? "")
                series.values.append(try label.texts("value").first ?? "")
            }
            let references = part.integers("labels_refs")
            for (index, reference) in references.enumerated() {
                if index.isMultiple(of: 2) {
                    series.names.append(try symbol(reference))
                } else {
                    series.values.append(try symbol(reference))
                }
            }
            series.samples = part.messages("samples").map { sample in
                Sample(
                    bits: (sample.words("value").first.flatMap { Double($0) } ?? 0).bitPattern,
                    milliseconds: sample.integers("timestamp").first ?? 0,
                    start_ms: sample.integers("start_timestamp").first ?? 0)
            }
            if let metadata = part.messages("metadata").first {
                series.metadata = Metadata(
                    type: Self.type(metadata.words("type").first),
                    help: try symbol(metadata.integers("help_ref").first),
                    unit: try symbol(metadata.integers("unit_ref").first))
            }
            request.series.append(series)
        }
        for part in root.messages("metadata") {
            request.families.append(
                FamilyMetadata(
                    family: try part.texts("metric_family_name").first ?? "",
                    metadata: Metadata(
                        type: Self.type(part.words("type").first), help: try part.texts("help").first ?? "",
                        unit: try part.texts("unit").first ?? "")))
        }
        self = request
    }

    /// The request with the NaN that a reader gets who knows only one, and without what `protoc` does not tell.
    package var asProtocTells: WriteRequest {
        var request = self
        request.unusedSymbols = 0
        for series in request.series.indices {
            request.series[series].samples = self.series[series].samples.map { sample in
                Sample(
                    bits: sample.value.isNaN ? Double.nan.bitPattern : sample.bits, milliseconds: sample.milliseconds,
                    start_ms: sample.start_ms)
            }
        }
        return request
    }

    private static func type(_ name: String?) -> MetricType {
        let word = (name ?? "").replacing("METRIC_TYPE_", with: "").lowercased()
        return MetricType.allCases.first { "\($0)".lowercased() == word } ?? .unspecified
    }
}

/// A message in the text that `protoc` prints: fields in the order of the text.
private struct TextMessage {
    private var fields: [(name: String, word: String)] = []
    private var parts: [(name: String, message: TextMessage)] = []

    init(_ text: String) throws(WriteRequest.RequestFault) {
        var open = [(name: "", message: TextMessage())]
        for line in text.split(separator: "\n") {
            let line = line.drop { $0 == " " }
            if line.first?.isNumber == true { throw .init(description: "no name for field \(line)") }
            if line.hasSuffix(" {") && !line.contains("\"") {
                open.append((String(line.dropLast(2)), TextMessage()))
            } else if line == "}", let closed = open.popLast(), !open.isEmpty {
                open[open.count - 1].message.parts.append(closed)
            } else if let colon = line.firstIndex(of: ":"), !open.isEmpty {
                let word = line[line.index(colon, offsetBy: 2)...]
                open[open.count - 1].message.fields.append((String(line[..<colon]), String(word)))
            } else {
                throw .init(description: "line \(line)")
            }
        }
        guard open.count == 1 else { throw .init(description: "the text ends inside a message") }
        self = open[0].message
    }

    private init() {}

    func messages(_ name: String) -> [TextMessage] { parts.filter { $0.name == name }.map(\.message) }

    func words(_ name: String) -> [String] { fields.filter { $0.name == name }.map(\.word) }

    func integers(_ name: String) -> [Int64] { words(name).map { Int64($0) ?? .min } }

    func texts(_ name: String) throws(WriteRequest.RequestFault) -> [String] {
        var texts: [String] = []
        for word in words(name) { texts.append(try Self.unescaped(word)) }
        return texts
    }

    /// The text of a literal, whose bytes outside of ASCII are octal numbers.
    private static func unescaped(_ literal: String) throws(WriteRequest.RequestFault) -> String {
        var rest = literal.utf8.dropFirst().dropLast()
        var bytes: [UInt8] = []
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\") else {
                bytes.append(byte)
                continue
            }
            guard let kind = rest.popFirst() else { break }
            switch kind {
            case UInt8(ascii: "n"): bytes.append(10)
            case UInt8(ascii: "r"): bytes.append(13)
            case UInt8(ascii: "t"): bytes.append(9)
            case UInt8(ascii: "0")...UInt8(ascii: "7"):
                let digits = [kind] + rest.prefix(2)
                rest = rest.dropFirst(2)
                bytes.append(digits.reduce(0) { $0 << 3 | ($1 & 7) })
            default: bytes.append(kind)
            }
        }
        return try ProtobufReader.text(bytes[...])
    }
}
