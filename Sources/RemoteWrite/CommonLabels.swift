import Wire

/// The labels that every pushed series gets: `job`, `instance`, then the external labels.
///
/// If a name comes twice, its first value counts. A label without a value is left out.
package struct CommonLabels: Sendable, Equatable {
    /// The reason why a label's name is refused.
    package enum LabelFault: Error, Sendable, Equatable, CustomStringConvertible {
        /// Not `[a-zA-Z_][a-zA-Z0-9_]*`. https://prometheus.io/docs/specs/prw/remote_write_spec/#labels
        case malformed(String)
        /// Names that begin with two underscores are reserved for Prometheus.
        case reserved(String)

        package var description: String {
            switch self {
            case .malformed(let name): "label name \(name) is not of the form [a-zA-Z_][a-zA-Z0-9_]*"
            case .reserved(let name): "label name \(name) is reserved: it begins with two underscores"
            }
        }
    }

    let pairs: [(name: String, value: String)]
    /// The same, for many series that share the memory.
    let names: [String]
    let values: [String]

    package init(job: String, instance: String, external: [(name: String, value: String)] = []) throws(LabelFault) {
        var pairs: [(name: String, value: String)] = []
        for pair in [("job", job), ("instance", instance)] + external.map({ ($0.name, $0.value) }) {
            try Self.check(pair.0)
            if !pair.1.isEmpty && !pairs.contains(where: { $0.name == pair.0 }) { pairs.append(pair) }
        }
        self.init(pairs: pairs)
    }

    /// Labels that were checked by another process.
    init(pairs: [(name: String, value: String)]) {
        self.pairs = pairs
        names = pairs.map(\.name)
        values = pairs.map(\.value)
    }

    package static func == (a: CommonLabels, b: CommonLabels) -> Bool {
        a.pairs.elementsEqual(b.pairs, by: ==)
    }

    /// A text that is the same for the same labels, and differs for others: `environment="test",instance="a",job="b"`.
    package var fingerprint: String {
        func quoted(_ value: String) -> String {
            "\"" + value.reduce(into: "") { $0 += $1 == "\"" || $1 == "\\" ? "\\\($1)" : String($1) } + "\""
        }
        return pairs.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
            .map { $0.name + "=" + quoted($0.value) }.joined(separator: ",")
    }

    /// Throws if no label may have this name.
    package static func check(_ name: String) throws(LabelFault) {
        guard let first = name.utf8.first, !(0x30...0x39).contains(first),
            name.utf8.allSatisfy({
                (0x61...0x7A).contains($0) || (0x41...0x5A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F
            })
        else { throw .malformed(name) }
        if name.hasPrefix("__") { throw .reserved(name) }
    }

    /// The labels of a time series: sorted by name, each name once, no empty value. A series' own labels win over the
    /// common ones.
    func sorted(name: String, own: [(name: String, value: String)]) -> [(name: String, value: String)] {
        var all = [(name: "__name__", value: name)]
        all.append(contentsOf: own)
        for pair in pairs where !own.contains(where: { $0.name == pair.name && !$0.value.isEmpty }) {
            all.append(pair)
        }
        all.removeAll { $0.value.isEmpty }
        all.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        return all
    }
}
