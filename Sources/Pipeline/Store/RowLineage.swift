import Platform
import Storage
import Wire

/// The starts of the program on a state folder, and the names of its rows in the database.
///
/// They tell the folder from a copy of it. The journal keeps them as text. A snapshot keeps them, too, for a journal
/// whose file was lost.
struct RowLineage: Sendable, Equatable {
    /// The bounds of the lists, each with its reason.
    enum Limits {
        /// The starts that are remembered. Where a forgotten start wrote the database's last row, it is taken for the
        /// start of a copy: rows get a new name, and the warning is wrong. Nothing is lost, and nothing is written
        /// twice.
        static let starts = 32
        /// The names that rows in the outbox may still have. Each copy of a copy adds one.
        static let names = 4
    }

    /// A name under which rows are numbered.
    struct Name: Sendable, Equatable {
        let id: String
        /// The rows of inputs after this one have the name.
        let after: Int64
        /// Rows with higher numbers than this have the name, too, where nobody knows their input.
        let afterNumber: Int64
    }

    /// The names, the oldest first; never empty. The rows of all but the last are shared with another copy of the
    /// state.
    private(set) var names: [Name]
    /// The starts, the oldest first. The last one is this process.
    private(set) var starts: [ProcessStart] = []

    init(name: String) { names = [Name(id: name, after: -1, afterNumber: 0)] }

    /// The name of the rows that are made now.
    var current: String { names[names.count - 1].id }

    /// Adds the start of this process, which knows all inputs up to `input`.
    mutating func begin(after input: Int64) {
        starts.append(ProcessStart(id: RandomID.makeShort(), after: input))
        starts = starts.suffix(Limits.starts)
    }

    /// Adds a new name for the rows of inputs after `input`, because another copy writes under the current one.
    mutating func rename(after input: Int64, afterNumber number: Int64) {
        let last = names[names.count - 1]
        names.append(
            Name(id: RandomID.make(), after: max(input, last.after), afterNumber: max(number, last.afterNumber)))
        names = names.suffix(Limits.names)
    }

    /// Returns the index of a row's name in `names`.
    func place(of row: NumberedRow) -> Int {
        let place =
            if let position = row.position {
                names.lastIndex { $0.after < position.input }
            } else {
                names.lastIndex { $0.afterNumber < row.number }
            }
        return place ?? 0
    }

    // MARK: As text

    /// The names on one line, and the starts on the next.
    var text: String {
        let names = names.map { "\($0.id):\($0.after):\($0.afterNumber)" }.joined(separator: " ")
        return "\(names)\n\(ProcessStart.text(starts))"
    }

    /// Nil where the text holds no name.
    init?(text: String) {
        let lines = text.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = lines.first else { return nil }
        names = first.split(separator: " ").compactMap { word in
            let parts = word.split(separator: ":")
            guard parts.count == 3, let after = Int64(parts[1]), let number = Int64(parts[2]) else { return nil }
            return Name(id: String(parts[0]), after: after, afterNumber: number)
        }
        if names.isEmpty { return nil }
        starts = lines.count > 1 ? ProcessStart.list(String(lines[1])) : []
    }
}
