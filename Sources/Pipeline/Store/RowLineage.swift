import Platform
import Storage
import Wire

/// The starts of the program on a state folder, and the names that its rows have in the database: what tells the folder
/// from a copy of it. The journal keeps it as text; a snapshot too, for a journal whose file was lost.
struct RowLineage: Sendable, Equatable {
    /// The bounds of the lists, each with its reason.
    enum Limits {
        /// Starts that are remembered. One that was forgotten and wrote the database's last row is taken for one of a
        /// copy: rows get a new name, and a warning is wrong; nothing is lost and nothing is written twice.
        static let starts = 32
        /// Names that rows in the outbox may still have: each copy of a copy adds one.
        static let names = 4
    }

    /// A name under which rows are numbered.
    struct Name: Sendable, Equatable {
        let id: String
        /// Rows of inputs after this one have it.
        let after: Int64
        /// So have rows with higher numbers than this, of which nobody knows the input.
        let afterNumber: Int64
    }

    /// The oldest first; never empty. Rows of all but the last are shared with another copy of the state.
    private(set) var names: [Name]
    /// The oldest first; the last is the running one.
    private(set) var starts: [ProcessStart] = []

    init(name: String) { names = [Name(id: name, after: -1, afterNumber: 0)] }

    /// The name of what is made now.
    var current: String { names[names.count - 1].id }

    /// A start that knows all inputs up to `input`.
    mutating func begin(after input: Int64) {
        starts.append(ProcessStart(id: RandomID.makeShort(), after: input))
        starts = starts.suffix(Limits.starts)
    }

    /// Another copy writes under the current name: what comes after `input` gets a new one.
    mutating func rename(after input: Int64, afterNumber number: Int64) {
        let last = names[names.count - 1]
        names.append(
            Name(id: RandomID.make(), after: max(input, last.after), afterNumber: max(number, last.afterNumber)))
        names = names.suffix(Limits.names)
    }

    /// The place of a row's name among `names`.
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

    /// The names on one line, the starts on the next.
    var text: String {
        let names = names.map { "\($0.id):\($0.after):\($0.afterNumber)" }.joined(separator: " ")
        return "\(names)\n\(ProcessStart.text(starts))"
    }

    /// Nil where the text has no name in it.
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
