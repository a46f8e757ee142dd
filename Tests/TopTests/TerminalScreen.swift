import Platform

@testable import Top

/// The screen of a terminal, as far as `lkpush top` uses one. What it does not know is a fault.
/// https://www.xfree86.org/current/ctlseqs.html
struct TerminalScreen: Sendable {
    private(set) var cells: [[String]]
    private(set) var faults: [String] = []
    /// Private modes that are on: 25 cursor, 7 wrapping, 1049 the other screen.
    private(set) var modes: Set<Int> = [25, 7]
    /// Text had a style.
    private(set) var hasStyles = false
    /// Frames that were shown whole.
    private(set) var frames = 0
    private let rows: Int
    private let columns: Int
    private var row = 0
    private var column = 0
    private var pending: [UInt8] = []

    init(rows: Int, columns: Int) {
        self.rows = rows
        self.columns = columns
        cells = Array(repeating: Array(repeating: " ", count: columns), count: rows)
    }

    /// The text of each row. The second half of a wide character is empty.
    var lines: [String] { cells.map { $0.joined() } }

    mutating func write(_ bytes: some Sequence<UInt8>) {
        pending += bytes
        // The end may be half a character, or half a sequence.
        var rest = pending[...]
        while let first = rest.first {
            if first == 0x1B {
                guard let used = sequence(rest) else { break }
                rest = rest.dropFirst(used)
            } else if first == 0x0D {
                column = 0
                rest = rest.dropFirst()
            } else if first == 0x0A {
                if row + 1 < rows { row += 1 } else { scroll() }
                rest = rest.dropFirst()
            } else if first < 0x20 || first == 0x7F {
                faults.append("control character \(first)")
                rest = rest.dropFirst()
            } else {
                let length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
                guard rest.count >= length else { break }
                for scalar in String(decoding: rest.prefix(length), as: UTF8.self).unicodeScalars { show(scalar) }
                rest = rest.dropFirst(length)
            }
        }
        pending = Array(rest)
    }

    private mutating func scroll() {
        cells.removeFirst()
        cells.append(Array(repeating: " ", count: columns))
    }

    private mutating func show(_ scalar: Unicode.Scalar) {
        guard let width = CharacterWidth.columns(scalar) else { return faults.append("character \(scalar.value)") }
        if width == 0 {
            guard column > 0 else { return faults.append("an accent at the beginning of a line") }
            var place = column - 1
            if cells[row][place].isEmpty { place -= 1 }
            cells[row][place].unicodeScalars.append(scalar)
            return
        }
        guard column + width <= columns else {
            if scalar != " " { faults.append("row \(row) is too wide") }
            return
        }
        cells[row][column] = String(scalar)
        if width == 2 { cells[row][column + 1] = "" }
        column += width
    }

    /// Obeys a sequence. Returns its length; nil while its end is missing.
    private mutating func sequence(_ bytes: ArraySlice<UInt8>) -> Int? {
        let introducer = bytes.dropFirst()
        guard let kind = introducer.first else { return nil }
        guard kind == UInt8(ascii: "[") else {
            faults.append("escape \(kind)")
            return 2
        }
        let parameters = introducer.dropFirst().prefix { (0x20...0x3F).contains($0) }
        guard let final = introducer.dropFirst(1 + parameters.count).first else { return nil }
        obey(Character(Unicode.Scalar(final)), String(decoding: parameters, as: UTF8.self))
        return 3 + parameters.count
    }

    private mutating func obey(_ final: Character, _ parameters: String) {
        switch (final, parameters) {
        case ("H", ""): (row, column) = (0, 0)
        case ("K", ""): for place in column..<columns { cells[row][place] = " " }
        case ("J", ""):
            for place in min(column, columns - 1)..<columns where column < columns { cells[row][place] = " " }
            for line in row + 1..<max(row + 1, rows) { cells[line] = Array(repeating: " ", count: columns) }
        case ("m", let code):
            let known = Set(Style.allCases.map(\.code))
            if !known.contains(code) { faults.append("style \(code)") }
            if code != "0" { hasStyles = true }
        case ("h", let mode) where mode.hasPrefix("?"):
            if let number = Int(mode.dropFirst()) { modes.insert(number) }
            if mode == "?1049" { self.cells = Array(repeating: Array(repeating: " ", count: columns), count: rows) }
        case ("l", let mode) where mode.hasPrefix("?"):
            if let number = Int(mode.dropFirst()) { modes.remove(number) }
            // The cursor goes back to where it was before the other screen.
            if mode == "?1049" { (row, column) = (0, 0) }
            if mode == "?2026" { frames += 1 }
        default: faults.append("sequence \(parameters)\(final)")
        }
    }
}
