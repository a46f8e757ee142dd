import Platform

/// A page of lines of a fixed width. Text that does not fit into a line goes on in the next.
struct Paper {
    /// A text in one style.
    struct Piece: Sendable {
        let text: String
        let style: Style

        init(_ text: String, _ style: Style = .plain) {
            self.text = text
            self.style = style
        }
    }

    /// What belongs together: it is broken only if it is longer than a line.
    typealias Item = [Piece]

    private typealias Styled = (cell: Glyphs.Cell, style: Style)

    let columns: Int
    let glyphs: Glyphs
    private(set) var lines: [Line] = []

    init(columns: Int, glyphs: Glyphs) {
        // The widest character takes two.
        self.columns = max(2, columns)
        self.glyphs = glyphs
    }

    mutating func gap() { if lines.last?.width ?? 0 > 0 { lines.append(Line()) } }

    mutating func add(_ line: Line) { lines.append(line) }

    // MARK: Wrapping

    /// Adds items one after the other, with a gap between them.
    ///
    /// - Parameters:
    ///   - head: the beginning of the first line.
    ///   - hanging: the indent of the other lines.
    mutating func flow(_ items: [Item], gap: Int = 3, head: Item = [], indent: Int = 0, hanging: Int) {
        let hanging = min(hanging, columns / 3)
        var line = Line()
        line.pad(to: min(indent, columns / 3))
        for piece in head {
            line.append(glyphs.beginning(of: piece.text, columns: columns - line.width).cells, piece.style)
        }
        var isEmpty = true
        for item in items {
            let cells = styled(item)
            if cells.isEmpty { continue }
            let width = Self.width(cells)
            if fits(width, isEmpty ? 0 : gap, in: line) {
                put(cells, isEmpty ? 0 : gap, &line)
            } else if hanging + width <= columns {
                end(&line, hanging)
                put(cells, 0, &line)
            } else {
                putWords(cells, isEmpty ? 0 : gap, &line, hanging)
            }
            isEmpty = false
        }
        lines.append(line)
    }

    /// Adds a text that is broken between its words.
    mutating func paragraph(_ pieces: Item, head: Item = [], indent: Int = 0, hanging: Int) {
        flow([pieces], head: head, indent: indent, hanging: hanging)
    }

    private mutating func putWords(_ cells: [Styled], _ gap: Int, _ line: inout Line, _ hanging: Int) {
        var gap = gap
        for word in cells.split(whereSeparator: { $0.cell.isSpace }) {
            let word = Array(word)
            let width = Self.width(word)
            if fits(width, gap, in: line) {
                put(word, gap, &line)
            } else {
                if line.width > hanging || gap > 0 { end(&line, hanging) }
                // A word that is longer than a line is broken anywhere.
                for one in word {
                    if line.width + one.cell.width > columns { end(&line, hanging) }
                    line.append(one.cell, one.style)
                }
            }
            gap = 1
        }
    }

    private func fits(_ width: Int, _ gap: Int, in line: Line) -> Bool { line.width + gap + width <= columns }

    private func put(_ cells: [Styled], _ gap: Int, _ line: inout Line) {
        line.pad(to: line.width + gap)
        for one in cells { line.append(one.cell, one.style) }
    }

    private mutating func end(_ line: inout Line, _ hanging: Int) {
        lines.append(line)
        line = Line()
        line.pad(to: hanging)
    }

    private func styled(_ item: Item) -> [Styled] {
        item.flatMap { piece in glyphs.cells(piece.text).map { ($0, piece.style) } }
    }

    private static func width(_ cells: [Styled]) -> Int { cells.reduce(0) { $0 + $1.cell.width } }

    // MARK: Cutting

    /// The beginning of a text, with an ellipsis where it was cut.
    func cut(_ text: String, to width: Int) -> [Glyphs.Cell] {
        let (cells, isWhole) = glyphs.beginning(of: text, columns: width)
        if isWhole { return cells }
        let mark = glyphs.cells("…")
        guard mark.count <= width else { return cells }
        return glyphs.beginning(of: text, columns: width - mark.count).cells + mark
    }
}
