/// A body of remote write 1.0, decoded by code that shares nothing with the encoder.
package struct WriteRequest: Sendable, Equatable {
    package struct Sample: Sendable, Equatable {
        package let bits: UInt64
        package let milliseconds: Int64

        package init(bits: UInt64, milliseconds: Int64) {
            self.bits = bits
            self.milliseconds = milliseconds
        }

        package var value: Double { Double(bitPattern: bits) }
        package var isStale: Bool { bits == 0x7FF0_0000_0000_0002 }
    }

    package struct TimeSeries: Sendable, Equatable {
        package var names: [String] = []
        package var values: [String] = []
        package var samples: [Sample] = []

        /// The series as `name{a="1",b="2"}`, in the order of the message.
        package var text: String {
            let pairs = zip(names, values)
            let name = pairs.first { $0.0 == "__name__" }?.1 ?? ""
            let rest = pairs.filter { $0.0 != "__name__" }.map { "\($0.0)=\"\($0.1)\"" }
            return rest.isEmpty ? name : "\(name){\(rest.joined(separator: ","))}"
        }
    }

    /// The body is not valid.
    package struct RequestFault: Error, Equatable, CustomStringConvertible {
        package let description: String
    }

    package var series: [TimeSeries] = []

    /// Decompresses and decodes a body.
    package init(compressed body: [UInt8]) throws(RequestFault) {
        try self.init(raw: SnappyBlock.decode(body))
    }

    /// Decodes a body that is not compressed.
    package init(raw: [UInt8]) throws(RequestFault) {
        var reader = Reader(bytes: raw[...])
        while let field = try reader.next() {
            guard case .bytes(1, let content) = field else { throw RequestFault(description: "request field \(field)") }
            series.append(try Self.series(content))
        }
    }

    private static func series(_ bytes: ArraySlice<UInt8>) throws(RequestFault) -> TimeSeries {
        var series = TimeSeries()
        var reader = Reader(bytes: bytes)
        while let field = try reader.next() {
            switch field {
            case .bytes(1, let content):
                let (name, value) = try label(content)
                series.names.append(name)
                series.values.append(value)
            case .bytes(2, let content): series.samples.append(try sample(content))
            default: throw RequestFault(description: "series field \(field)")
            }
        }
        return series
    }

    private static func label(_ bytes: ArraySlice<UInt8>) throws(RequestFault) -> (String, String) {
        var texts = ["", ""]
        var reader = Reader(bytes: bytes)
        while let field = try reader.next() {
            guard case .bytes(let number, let content) = field, (1...2).contains(number),
                let text = String(validating: content, as: UTF8.self)
            else { throw RequestFault(description: "label field \(field)") }
            texts[number - 1] = text
        }
        return (texts[0], texts[1])
    }

    private static func sample(_ bytes: ArraySlice<UInt8>) throws(RequestFault) -> Sample {
        var bits: UInt64 = 0
        var time: UInt64 = 0
        var reader = Reader(bytes: bytes)
        while let field = try reader.next() {
            switch field {
            case .fixed64(1, let value): bits = value
            case .varint(2, let value): time = value
            default: throw RequestFault(description: "sample field \(field)")
            }
        }
        return Sample(bits: bits, milliseconds: Int64(bitPattern: time))
    }

    private enum Wire {
        case varint(Int, UInt64)
        case fixed64(Int, UInt64)
        case bytes(Int, ArraySlice<UInt8>)
    }

    private struct Reader {
        var bytes: ArraySlice<UInt8>

        mutating func next() throws(RequestFault) -> Wire? {
            if bytes.isEmpty { return nil }
            let tag = try varint()
            let number = Int(tag >> 3)
            switch tag & 7 {
            case 0: return .varint(number, try varint())
            case 1:
                guard bytes.count >= 8 else { throw RequestFault(description: "cut in a fixed64") }
                let value = bytes.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
                bytes = bytes.dropFirst(8)
                return .fixed64(number, value)
            case 2:
                let size = try varint()
                guard size <= UInt64(bytes.count) else { throw RequestFault(description: "cut in a field") }
                defer { bytes = bytes.dropFirst(Int(size)) }
                return .bytes(number, bytes.prefix(Int(size)))
            default: throw RequestFault(description: "wire type \(tag & 7)")
            }
        }

        mutating func varint() throws(RequestFault) -> UInt64 {
            var value: UInt64 = 0
            for shift in stride(from: UInt64(0), to: 64, by: 7) {
                guard let byte = bytes.popFirst() else { throw RequestFault(description: "cut in a varint") }
                value |= UInt64(byte & 0x7F) << shift
                if byte < 0x80 { return value }
            }
            throw RequestFault(description: "varint too long")
        }
    }
}

/// A decoder for the block format of snappy. https://github.com/google/snappy/blob/main/format_description.txt
package enum SnappyBlock {
    /// The decompressed bytes.
    package static func decode(_ input: [UInt8]) throws(WriteRequest.RequestFault) -> [UInt8] {
        func fault(_ text: String) -> WriteRequest.RequestFault { .init(description: "snappy: \(text)") }
        var position = 0
        var size = 0
        var shift = 0
        repeat {
            guard position < input.count, shift < 35 else { throw fault("no length") }
            size |= Int(input[position] & 0x7F) << shift
            shift += 7
            position += 1
        } while input[position - 1] >= 0x80
        var output: [UInt8] = []
        output.reserveCapacity(size)
        func number(_ count: Int) throws(WriteRequest.RequestFault) -> Int {
            guard position + count <= input.count else { throw fault("cut") }
            defer { position += count }
            return input[position..<(position + count)].reversed().reduce(0) { $0 << 8 | Int($1) }
        }
        while position < input.count {
            let tag = Int(input[position])
            position += 1
            let length: Int
            let offset: Int
            switch tag & 3 {
            case 0:
                let inline = tag >> 2
                let count = inline < 60 ? inline + 1 : try number(inline - 59) + 1
                guard position + count <= input.count else { throw fault("cut in a literal") }
                output.append(contentsOf: input[position..<(position + count)])
                position += count
                continue
            case 1:
                length = (tag >> 2 & 7) + 4
                offset = (tag >> 5) << 8 | (try number(1))
            case 2:
                length = (tag >> 2) + 1
                offset = try number(2)
            default:
                length = (tag >> 2) + 1
                offset = try number(4)
            }
            guard offset > 0, offset <= output.count else { throw fault("copy from before the start") }
            for _ in 0..<length { output.append(output[output.count - offset]) }
        }
        guard output.count == size else { throw fault("\(output.count) bytes instead of \(size)") }
        return output
    }
}
