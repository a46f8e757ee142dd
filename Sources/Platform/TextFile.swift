/// A small file that people write: UTF-8, whatever editor saved it.
package enum TextFile {
    /// It cannot be read, or is no text. Nothing of its content is in the description.
    package struct ReadError: Error, Sendable, Equatable, CustomStringConvertible {
        package let description: String

        package init(_ description: String) { self.description = description }

        /// Something is wrong with a line, counted from 1.
        package init(_ path: String, line: Int, _ what: String) { description = "\(path) line \(line): \(what)" }
    }

    /// The text without a byte order mark, and with `\n` alone as the end of a line.
    package static func read(_ path: String, limit: Int) throws(ReadError) -> String {
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try FileStore.read(path, limit: limit)
        } catch {
            throw ReadError(error.description)
        }
        return try decode(bytes, of: path)
    }

    /// The text that the bytes of a file are.
    package static func decode(_ bytes: [UInt8], of path: String) throws(ReadError) -> String {
        if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
            throw ReadError(path, line: 1, "the file is UTF-16; save it as UTF-8")
        }
        if let zero = bytes.firstIndex(of: 0) {
            throw ReadError(
                path, line: line(of: zero, in: bytes), "a zero byte: the file is UTF-16 or no text; save it as UTF-8")
        }
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        guard let text = String(validating: bytes.dropFirst(bytes.starts(with: mark) ? mark.count : 0), as: UTF8.self)
        else {
            let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
            let bad = lines.firstIndex { String(validating: $0, as: UTF8.self) == nil } ?? 0
            throw ReadError(path, line: bad + 1, "bytes that are no UTF-8; save the file as UTF-8")
        }
        return text.replacing("\r\n", with: "\n")
    }

    private static func line(of index: Int, in bytes: [UInt8]) -> Int {
        bytes[..<index].count { $0 == 0x0A } + 1
    }
}
