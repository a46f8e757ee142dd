extension WriteRequest {
    /// Decodes the message of 2.0: `proto/remote_write_v2.proto`, and counts native histograms and exemplars.
    static func decodeV2(_ raw: ArraySlice<UInt8>) throws(RequestFault) -> WriteRequest {
        var request = WriteRequest(.v2)
        // References may come before what they refer to.
        var contents: [ArraySlice<UInt8>] = []
        var reader = ProtobufReader(raw, repeated: [4, 5])
        while let field = try reader.next() {
            switch field {
            case .bytes(4, let content): request.symbols.append(try ProtobufReader.text(content))
            case .bytes(5, let content): contents.append(content)
            default: throw RequestFault(description: "request field \(field)")
            }
        }
        var symbols = try Symbols(request.symbols)
        for content in contents { request.series.append(try seriesV2(content, &symbols)) }
        request.unusedSymbols = symbols.unused
        return request
    }

    /// The texts of a request, and which of them something refers to.
    private struct Symbols {
        private let texts: [String]
        private var isUsed: [Bool]

        init(_ texts: [String]) throws(RequestFault) {
            guard let first = texts.first else { throw RequestFault(description: "no symbols") }
            guard first.isEmpty else { throw RequestFault(description: "symbol 0 is \(first)") }
            // As bytes: two strings that look the same are equal otherwise.
            guard Set(texts.map { Array($0.utf8) }).count == texts.count else {
                throw RequestFault(description: "a symbol comes twice")
            }
            self.texts = texts
            isUsed = texts.map(\.isEmpty)
        }

        var unused: Int { isUsed.count { !$0 } }

        mutating func text(_ reference: UInt64) throws(RequestFault) -> String {
            guard reference < UInt64(texts.count) else {
                throw RequestFault(description: "reference \(reference) of \(texts.count) symbols")
            }
            isUsed[Int(reference)] = true
            return texts[Int(reference)]
        }
    }

    private static func seriesV2(
        _ bytes: ArraySlice<UInt8>, _ symbols: inout Symbols
    ) throws(RequestFault) -> TimeSeries {
        var series = TimeSeries()
        var reader = ProtobufReader(bytes, repeated: [2, 3, 4])
        while let field = try reader.next() {
            switch field {
            case .bytes(1, let content):
                let references = try ProtobufReader.packed(content)
                guard references.count.isMultiple(of: 2) else {
                    throw RequestFault(description: "\(references.count) references of labels")
                }
                for pair in stride(from: 0, to: references.count, by: 2) {
                    series.names.append(try symbols.text(references[pair]))
                    series.values.append(try symbols.text(references[pair + 1]))
                }
            case .bytes(2, let content): series.samples.append(try sample(content, .v2))
            case .bytes(3, let content):
                try ProtobufReader.skim(content)
                series.histograms += 1
            case .bytes(4, let content):
                try ProtobufReader.skim(content)
                series.exemplars += 1
            case .bytes(5, let content): series.metadata = try metadata(content, &symbols)
            default: throw RequestFault(description: "series field \(field)")
            }
        }
        return series
    }

    private static func metadata(
        _ bytes: ArraySlice<UInt8>, _ symbols: inout Symbols
    ) throws(RequestFault) -> Metadata {
        var metadata = Metadata()
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            switch field {
            case .varint(1, let number): metadata.type = try metricType(number)
            case .varint(3, let reference): metadata.help = try symbols.text(reference)
            case .varint(4, let reference): metadata.unit = try symbols.text(reference)
            default: throw RequestFault(description: "metadata field \(field)")
            }
        }
        return metadata
    }
}
