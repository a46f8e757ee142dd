/// Where rows come from, so that each is applied once however often it is handed over.
package struct RowOrigin: Sendable, Hashable {
    /// The random id of the journal that the rows are numbered in.
    package var journal: String
    /// The number of the first row; the others follow without gaps.
    package var firstSequence: Int64
    /// Where each row stands among the inputs, nil where that is not known; empty where it is known of none.
    package var positions: [RowPosition?] = []
    /// Who hands them over; nil where nobody else can do so under the same name.
    package var writer: RowWriter?

    package init(
        journal: String, firstSequence: Int64, positions: [RowPosition?] = [], writer: RowWriter? = nil
    ) {
        self.journal = journal
        self.firstSequence = firstSequence
        self.positions = positions
        self.writer = writer
    }

    /// The position of a row, counted from 0.
    func position(of index: Int) -> RowPosition? { index < positions.count ? positions[index] : nil }

    /// The origin of one of its rows.
    func place(of index: Int) -> RowOrigin {
        RowOrigin(
            journal: journal, firstSequence: firstSequence + Int64(index), positions: [position(of: index)],
            writer: writer)
    }
}

/// Where a row stands in the order of all inputs. Unlike its number, this does not depend on how many rows the inputs
/// before its own made: rules that make more or fewer of them leave the others where they are.
package struct RowPosition: Sendable, Hashable, Comparable {
    /// The number of the input that made the row, events and others counted together.
    package var input: Int64
    /// Its place among the rows of that input, from 1.
    package var index: Int64

    package init(input: Int64, index: Int64) {
        self.input = input
        self.index = index
    }

    package static func < (left: RowPosition, right: RowPosition) -> Bool {
        (left.input, left.index) < (right.input, right.index)
    }
}

/// One start of the program with a state folder.
package struct ProcessStart: Sendable, Hashable {
    /// Random; no blank and no colon.
    package var id: String
    /// The last input that was known when it began: what comes after it was accepted by this start or a later one.
    package var after: Int64

    package init(id: String, after: Int64) {
        self.id = id
        self.after = after
    }

    /// Several of them as text: `id:after id:after`.
    package static func text(_ starts: some Sequence<ProcessStart>) -> String {
        starts.map { "\($0.id):\($0.after)" }.joined(separator: " ")
    }

    /// Reads such a text; what makes no sense is left out.
    package static func list(_ text: String) -> [ProcessStart] {
        text.split(separator: " ").compactMap { word in
            let parts = word.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, let after = Int64(parts[1]) else { return nil }
            return ProcessStart(id: String(parts[0]), after: after)
        }
    }
}
