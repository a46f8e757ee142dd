import Platform

/// A file of `NAME=value` lines, as container tools read it: `#` starts a comment line, one pair of quotes around a
/// value is taken off, `export ` before a name is allowed.
package enum EnvironmentFile {
    /// The file cannot be read or has a line that is no assignment.
    package struct Unusable: Error, Sendable, Equatable, CustomStringConvertible {
        package let description: String
        package init(description: String) { self.description = description }
    }

    /// The assignments of the file; what `environment` has already wins.
    package static func read(
        _ path: String, under environment: [String: String]
    ) throws(Unusable) -> [String: String] {
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try FileStore.read(path, limit: 1 << 20)
        } catch {
            throw Unusable(description: error.description)
        }
        var result: [String: String] = [:]
        let lines = String(decoding: bytes, as: UTF8.self)
            .split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        for (index, line) in lines.enumerated() {
            var words = line.drop { $0 == " " || $0 == "\t" }
            if words.isEmpty || words.hasPrefix("#") { continue }
            if words.hasPrefix("export ") { words = words.dropFirst("export ".count) }
            guard let split = words.firstIndex(of: "="), split > words.startIndex else {
                throw Unusable(description: "\(path) line \(index + 1): expected NAME=value")
            }
            var value = words[words.index(after: split)...]
            for quote: Character in ["\"", "'"]
            where value.count >= 2 && value.first == quote && value.last == quote {
                value = value.dropFirst().dropLast()
                break
            }
            result[String(words[..<split])] = String(value)
        }
        return result.merging(environment) { $1 }
    }
}
