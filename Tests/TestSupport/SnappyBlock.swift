/// A decoder for the block format of snappy. https://github.com/google/snappy/blob/main/format_description.txt
///
/// It takes any bytes: what is no block is a fault.
package enum SnappyBlock {
    package enum Limits {
        /// Twice what receivers decode. A length of a few bytes must not take all memory.
        package static let decoded_bytes = 64 << 20
    }

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
        guard size <= Limits.decoded_bytes else { throw fault("\(size) bytes") }
        var output: [UInt8] = []
        // A block of copies grows to at most 64 bytes for each 2.
        output.reserveCapacity(min(size, input.count * 32))
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
            guard output.count + length <= size else { throw fault("more than \(size) bytes") }
            for _ in 0..<length { output.append(output[output.count - offset]) }
        }
        guard output.count == size else { throw fault("\(output.count) bytes instead of \(size)") }
        return output
    }
}
