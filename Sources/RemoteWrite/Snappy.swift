import CSnappy

/// The block format of snappy, which remote write requires.
/// https://github.com/google/snappy/blob/main/format_description.txt
package enum Snappy {
    /// Replaces the content of `output` with the compressed `input`, and reuses its storage. Wraps `snappy_compress`.
    ///
    /// - Returns: the number of bytes in `output` that are the result. `output` may be longer, so that it need not grow
    ///   again.
    package static func compress(_ input: ArraySlice<UInt8>, into output: inout [UInt8]) -> Int {
        let room = snappy_max_compressed_length(input.count)
        if output.count < room { output.append(contentsOf: repeatElement(0, count: room - output.count)) }
        var size = output.count
        let status = input.withUnsafeBytes { source in
            output.withUnsafeMutableBytes { target in
                snappy_compress(
                    source.bindMemory(to: CChar.self).baseAddress, source.count,
                    target.bindMemory(to: CChar.self).baseAddress, &size)
            }
        }
        precondition(status == SNAPPY_OK, "snappy compresses whatever fits its own bound")
        return size
    }

    /// The decompressed `input`. Nil if it is not valid or longer than `limit`. Wraps `snappy_uncompress`.
    package static func decompress(_ input: [UInt8], limit: Int) -> [UInt8]? {
        input.withUnsafeBytes { source in
            let bytes = source.bindMemory(to: CChar.self)
            var size = 0
            guard snappy_uncompressed_length(bytes.baseAddress, bytes.count, &size) == SNAPPY_OK, size <= limit else {
                return nil
            }
            var isValid = true
            let output = [UInt8](unsafeUninitializedCapacity: size) { target, count in
                var written = size
                let status = target.withMemoryRebound(to: CChar.self) {
                    snappy_uncompress(bytes.baseAddress, bytes.count, $0.baseAddress, &written)
                }
                isValid = status == SNAPPY_OK
                count = isValid ? written : 0
            }
            return isValid ? output : nil
        }
    }
}
