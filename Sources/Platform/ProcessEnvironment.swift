import Glibc

/// The environment variables of this process.
package enum ProcessEnvironment {
    /// A copy of all variables, from name to value. If a name comes twice, the first one counts.
    package static var current: [String: String] {
        var variables: [String: String] = [:]
        var entry = environ
        while let text = entry.pointee {
            let words = String(cString: text)
            if let split = words.firstIndex(of: "=") {
                let name = String(words[..<split])
                if variables[name] == nil { variables[name] = String(words[words.index(after: split)...]) }
            }
            entry += 1
        }
        return variables
    }
}
