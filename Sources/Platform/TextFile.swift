/// A small text file that people write. It is UTF-8, from whatever editor.
package enum TextFile {
    /// The file cannot be read, or is no text. The description quotes nothing of its content.
    package struct ReadError: Error, Sendable, Equatable, CustomStringConvertible {
        package let description: String

        package init(_ description: String) { self.description = description }

        /// A fault in a line; lines are counted from 1.
        package init(_ path: String, line: Int, _ what: String) { description = "\(path) line \(line): \(what)" }
    }

    /// Reads the text. A byte order mark is removed, and every line ends with `\n` alone.
    package static func read(_ path: String, limit: Int) throws(ReadError) -> String {
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try FileStore.read(path, limit: limit)
        } catch {
            throw ReadError(error.description)
        }
        return try decode(bytes, of: path)
    }

    /// Decodes the bytes of a file.
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
