import TestSupport
import Wire

/// Bodies of remote write from nowhere: the decoder of the tests refuses them, or what it found can be written down and
/// read again as the same. The first byte chooses the message and whether the rest is compressed.
struct ProtobufFuzzer: Fuzzer {
    static let name = "protobuf"

    func run(_ bytes: [UInt8]) {
        guard let kind = bytes.first else { return }
        let version: WriteRequest.Version = kind & 1 == 0 ? .v1 : .v2
        let body = Array(bytes.dropFirst())
        let request: WriteRequest
        do throws(WriteRequest.RequestFault) {
            request =
                kind & 2 == 0 ? try WriteRequest(raw: body, version) : try WriteRequest(compressed: body, version)
        } catch {
            require(!error.description.isEmpty, "a fault says what it is")
            return
        }
        check(request)
        let again: WriteRequest
        do throws(WriteRequest.RequestFault) {
            again = try WriteRequest(raw: request.rewritten, version)
        } catch {
            refute("what was read cannot be read again: \(error)")
        }
        require(again.series == request.series && again.families == request.families, "it reads back as the same")
        require(again.unusedSymbols == 0, "every symbol that was written is used")
        var store = SampleStore()
        let outcome = store.take(request)
        require(outcome.written <= request.sampleCount, "no more is stored than was sent")
        require(outcome.refusal == nil || outcome.written < request.sampleCount, "what is refused is not stored")
    }

    private func check(_ request: WriteRequest) {
        require(request.series.allSatisfy { $0.names.count == $0.values.count }, "a label has a name and a value")
        switch request.version {
        case .v1:
            require(request.symbols.isEmpty && request.unusedSymbols == 0, "1.0 has no symbols")
            let isPlain = request.series.allSatisfy { $0.metadata == nil && $0.histograms + $0.exemplars == 0 }
            require(isPlain, "1.0 has samples alone")
            require(request.series.allSatisfy { $0.samples.allSatisfy { $0.start_ms == 0 } }, "1.0 has no starts")
        case .v2:
            require(request.symbols.first == "" && request.families.isEmpty, "the first symbol is empty")
            require(request.unusedSymbols < request.symbols.count, "the first symbol counts as used")
        }
    }
}

extension WriteRequest {
    /// The request as a body, written without the product's encoder.
    fileprivate var rewritten: [UInt8] {
        var writer = MessageWriter()
        var symbols = Symbols()
        for one in series {
            writer.message(version == .v1 ? 1 : 5) { series in
                if version == .v1 {
                    for (name, value) in zip(one.names, one.values) {
                        series.message(1) { label in
                            label.field(1, name)
                            label.field(2, value)
                        }
                    }
                } else if !one.names.isEmpty {
                    let texts = zip(one.names, one.values).flatMap { [$0, $1] }
                    series.field(1, bytes: texts.flatMap { Self.varint(symbols.number(of: $0)) })
                }
                for sample in one.samples {
                    series.message(2) { fields in
                        fields.field(1, fixed: sample.bits)
                        fields.field(2, UInt64(bitPattern: sample.milliseconds))
                        fields.field(3, UInt64(bitPattern: sample.start_ms))
                    }
                }
                for _ in 0..<one.histograms { series.message(3) { _ in } }
                for _ in 0..<one.exemplars { series.message(4) { _ in } }
                if let metadata = one.metadata {
                    series.message(5) { fields in
                        fields.field(1, metadata.type.rawValue)
                        fields.field(3, symbols.number(of: metadata.help))
                        fields.field(4, symbols.number(of: metadata.unit))
                    }
                }
            }
        }
        for family in families {
            writer.message(3) { fields in
                fields.field(1, family.metadata.type.rawValue)
                fields.field(2, family.family)
                fields.field(4, family.metadata.help)
                fields.field(5, family.metadata.unit)
            }
        }
        if version == .v2 { for text in symbols.texts { writer.element(4, text) } }
        return writer.bytes
    }

    private static func varint(_ number: UInt64) -> [UInt8] {
        var rest = number
        var bytes: [UInt8] = []
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }

    private struct Symbols {
        private(set) var texts = [""]
        private var numbers: [[UInt8]: UInt64] = [[]: 0]

        mutating func number(of text: String) -> UInt64 {
            let bytes = Array(text.utf8)
            if let number = numbers[bytes] { return number }
            numbers[bytes] = UInt64(texts.count)
            texts.append(text)
            return UInt64(texts.count - 1)
        }
    }
}
