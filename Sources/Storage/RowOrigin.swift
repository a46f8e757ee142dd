/// The identity of a batch of rows, so that each row is applied once however often the batch is handed over.
package struct RowOrigin: Sendable, Hashable {
    /// The random id of the journal that numbers the rows.
    package var journal: String
    /// The number of the first row. The others follow without gaps.
    package var firstSequence: Int64
    /// The position of each row among the inputs, nil if it is unknown; empty if all are unknown.
    package var positions: [RowPosition?] = []
    /// The starts of those who wrote the rows; nil if nobody else can write under the same journal id.
    package var history: StartHistory?

    package init(
        journal: String, firstSequence: Int64, positions: [RowPosition?] = [], history: StartHistory? = nil
    ) {
        self.journal = journal
        self.firstSequence = firstSequence
        self.positions = positions
        self.history = history
    }

    /// Returns the position of the row with this index, from 0.
    func position(of index: Int) -> RowPosition? { index < positions.count ? positions[index] : nil }

    /// Returns the origin of one of the rows alone.
    func place(of index: Int) -> RowOrigin {
        RowOrigin(
            journal: journal, firstSequence: firstSequence + Int64(index), positions: [position(of: index)],
            history: history)
    }
}

/// The position of a row in the order of all inputs. Unlike the row's number it does not depend on how many rows
/// earlier inputs made: if new rules make more or fewer rows of one input, the positions of the others stay the same.
package struct RowPosition: Sendable, Hashable, Comparable {
    /// The number of the input that made the row. Events and other inputs are counted together.
    package var input: Int64
    /// The place among the rows of that input, from 1.
    package var index: Int64

    package init(input: Int64, index: Int64) {
        self.input = input
        self.index = index
    }

    package static func < (left: RowPosition, right: RowPosition) -> Bool {
        (left.input, left.index) < (right.input, right.index)
    }
}

/// One start of the program on a state folder.
package struct ProcessStart: Sendable, Hashable {
    /// A random id without blanks and colons.
    package var id: String
    /// The last input that was known when the process started: later inputs were accepted by this start or a later one.
    package var after: Int64

    package init(id: String, after: Int64) {
        self.id = id
        self.after = after
    }

    /// Writes starts as text: `id:after id:after`.
    package static func text(_ starts: some Sequence<ProcessStart>) -> String {
        starts.map { "\($0.id):\($0.after)" }.joined(separator: " ")
    }

    /// Reads such a text. Malformed entries are left out.
    package static func list(_ text: String) -> [ProcessStart] {
        text.split(separator: " ").compactMap { word in
            let parts = word.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, let after = Int64(parts[1]) else { return nil }
            return ProcessStart(id: String(parts[0]), after: after)
        }
    }
}
