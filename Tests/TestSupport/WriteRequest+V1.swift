extension WriteRequest {
    /// Decodes the message of 1.0: `proto/remote_write_v1.proto`.
    static func decodeV1(_ raw: ArraySlice<UInt8>) throws(RequestFault) -> WriteRequest {
        var request = WriteRequest(.v1)
        var reader = ProtobufReader(raw, repeated: [1, 3])
        while let field = try reader.next() {
            switch field {
            case .bytes(1, let content): request.series.append(try seriesV1(content))
            case .bytes(3, let content): request.families.append(try family(content))
            default: throw RequestFault(description: "request field \(field)")
            }
        }
        return request
    }

    private static func seriesV1(_ bytes: ArraySlice<UInt8>) throws(RequestFault) -> TimeSeries {
        var series = TimeSeries()
        var reader = ProtobufReader(bytes, repeated: [1, 2])
        while let field = try reader.next() {
            switch field {
            case .bytes(1, let content):
                let (name, value) = try label(content)
                series.names.append(name)
                series.values.append(value)
            case .bytes(2, let content): series.samples.append(try sample(content, .v1))
            default: throw RequestFault(description: "series field \(field)")
            }
        }
        return series
    }

    private static func label(_ bytes: ArraySlice<UInt8>) throws(RequestFault) -> (String, String) {
        var texts = ["", ""]
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            guard case .bytes(let number, let content) = field, (1...2).contains(number) else {
                throw RequestFault(description: "label field \(field)")
            }
            texts[number - 1] = try ProtobufReader.text(content)
        }
        return (texts[0], texts[1])
    }

    private static func family(_ bytes: ArraySlice<UInt8>) throws(RequestFault) -> FamilyMetadata {
        var family = FamilyMetadata()
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            switch field {
            case .varint(1, let number): family.metadata.type = try metricType(number)
            case .bytes(2, let content): family.family = try ProtobufReader.text(content)
            case .bytes(4, let content): family.metadata.help = try ProtobufReader.text(content)
            case .bytes(5, let content): family.metadata.unit = try ProtobufReader.text(content)
            default: throw RequestFault(description: "metadata field \(field)")
            }
        }
        return family
    }

    /// Decodes a sample of either message. Only 2.0 has a start timestamp.
    static func sample(_ bytes: ArraySlice<UInt8>, _ version: Version) throws(RequestFault) -> Sample {
        var bits: UInt64 = 0
        var time: UInt64 = 0
        var start: UInt64 = 0
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            switch field {
            case .fixed64(1, let value): bits = value
            case .varint(2, let value): time = value
            case .varint(3, let value) where version == .v2: start = value
            default: throw RequestFault(description: "sample field \(field)")
            }
        }
        return Sample(bits: bits, milliseconds: Int64(bitPattern: time), start_ms: Int64(bitPattern: start))
    }

    static func metricType(_ number: UInt64) throws(RequestFault) -> MetricType {
        guard let type = MetricType(rawValue: number) else { throw RequestFault(description: "type \(number)") }
        return type
    }
}
