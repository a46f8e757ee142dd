/// The look of a text. Its meaning is always in the words too.
enum Style: Sendable, Equatable, CaseIterable {
    case plain
    case strong
    case faint
    case good
    case caution
    case alarm
    /// The last line of the screen.
    case bar

    /// The code of the terminal. https://www.xfree86.org/current/ctlseqs.html
    var code: String {
        switch self {
        case .plain: "0"
        case .strong: "1"
        case .faint: "2"
        case .good: "32"
        case .caution: "1;33"
        case .alarm: "1;31"
        case .bar: "7"
        }
    }
}

/// A line of the screen: text that is safe to write, in runs of one style.
struct Line: Sendable, Equatable {
    struct Run: Sendable, Equatable {
        var text: String
        let style: Style
    }

    private(set) var runs: [Run] = []
    private(set) var width = 0

    /// The text without its styles.
    var text: String { runs.map(\.text).joined() }

    mutating func append(_ cell: Glyphs.Cell, _ style: Style) {
        width += cell.width
        if let last = runs.last, last.style == style {
            runs[runs.count - 1].text += cell.text
        } else {
            runs.append(Run(text: cell.text, style: style))
        }
    }

    mutating func append(_ cells: some Sequence<Glyphs.Cell>, _ style: Style) {
        for cell in cells { append(cell, style) }
    }

    mutating func pad(to column: Int, _ style: Style = .plain) {
        while width < column { append(Glyphs.Cell(text: " ", width: 1), style) }
    }
}
