import Glibc

/// The characters that a terminal shows, and the columns that they take.
///
/// Names come from strangers. So a character that a terminal obeys or hides, or that reorders text, is spelled out,
/// such as `\u{1B}`.
struct Glyphs: Sendable {
    /// A character with its accents.
    struct Cell: Sendable, Equatable {
        var text: String
        let width: Int
    }

    enum Limits {
        /// No script needs more accents on one letter. More of them would grow over other lines.
        static let accents = 4
    }

    /// The terminal shows UTF-8. Otherwise everything that is not ASCII is spelled out.
    let isUnicode: Bool

    /// - Parameter isUnicode: false also where the C library knows no widths.
    init(isUnicode: Bool) { self.isUnicode = isUnicode && CharacterWidth.isKnown }

    /// Reads from the environment whether the terminal shows UTF-8.
    /// https://pubs.opengroup.org/onlinepubs/9799919799/basedefs/V1_chap08.html#tag_08_02
    ///
    /// Only the name of the locale counts, because many machines lack the locale of the terminal that they are used
    /// from.
    init(environment: [String: String]) {
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap { environment[$0] }.first { !$0.isEmpty } ?? ""
        let name = locale.lowercased()
        self.init(isUnicode: name.contains("utf-8") || name.contains("utf8"))
    }

    /// All characters of a text.
    func cells(_ text: String) -> [Cell] { beginning(of: text, columns: .max).cells }

    /// The whole characters of a text that fit into so many columns.
    func beginning(of text: String, columns limit: Int) -> (cells: [Cell], isWhole: Bool) {
        var cells: [Cell] = []
        var left = limit
        var accents = Limits.accents
        for scalar in text.unicodeScalars {
            let isASCII = scalar.value >= 0x20 && scalar.value < 0x7F
            let columns = isASCII ? 1 : isUnicode ? shown(scalar) : nil
            if columns == 0, accents < Limits.accents, !isJoiner(scalar) || cells.last?.isASCII == false {
                cells[cells.count - 1].text.unicodeScalars.append(scalar)
                accents += 1
            } else if let columns, columns > 0 {
                guard columns <= left else { return (cells, false) }
                cells.append(Cell(text: String(scalar), width: columns))
                left -= columns
                // An accent on a space would be on a space that is ours.
                accents = scalar == " " ? Limits.accents : 0
            } else if !isVariation(scalar) {
                let letters = spelled(scalar).unicodeScalars
                guard letters.count <= left else { return (cells, false) }
                for letter in letters { cells.append(Cell(text: String(letter), width: 1)) }
                left -= letters.count
                // No accent may go onto a letter that is ours.
                accents = Limits.accents
            }
        }
        return (cells, true)
    }

    /// The columns of a character; 0 for an accent. Nil if it must not reach the terminal as it is.
    private func shown(_ scalar: Unicode.Scalar) -> Int? {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: return nil
        case .format: if !isJoiner(scalar) { return nil }
        default: if isVariation(scalar) { return nil }
        }
        return CharacterWidth.columns(scalar)
    }

    /// Persian words and many emoji hold these two.
    private func isJoiner(_ scalar: Unicode.Scalar) -> Bool { scalar.value == 0x200C || scalar.value == 0x200D }

    /// A choice between two pictures of one character. Terminals disagree about the width, so it is left out.
    private func isVariation(_ scalar: Unicode.Scalar) -> Bool { (0xFE00...0xFE0F).contains(scalar.value) }

    /// The way to write a character in ASCII.
    private func spelled(_ scalar: Unicode.Scalar) -> String {
        if !isUnicode, let plain = Self.plain[scalar] { return plain }
        return "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
    }

    /// Characters that lkpush itself writes.
    private static let plain: [Unicode.Scalar: String] = [
        "…": "...", "•": "*", "–": "-", "—": "-", "’": "'", "“": "\"", "”": "\"", "·": "*", "×": "x", "→": "->",
    ]
}

extension Glyphs.Cell {
    var isASCII: Bool { text.utf8.count == 1 }
    /// A place where a line may end.
    var isSpace: Bool { text == " " }
}

/// The columns of characters, as the C library knows them.
enum CharacterWidth {
    private typealias Function = @convention(c) (Int32) -> Int32

    /// Swift does not import `wcwidth`, so it is looked up by its name. Nil if the C library has no UTF-8.
    private static let function: Function? = {
        // The widths of all of Unicode are those of any UTF-8 locale; this one is always installed.
        guard setlocale(LC_CTYPE, "C.UTF-8") != nil, let address = dlsym(nil, "wcwidth") else { return nil }
        return unsafeBitCast(address, to: Function.self)
    }()

    static var isKnown: Bool { function != nil }

    /// Nil if the character cannot be shown. Wraps `wcwidth`.
    static func columns(_ scalar: Unicode.Scalar) -> Int? {
        guard let columns = function?(Int32(bitPattern: scalar.value)), columns >= 0 else { return nil }
        return Int(columns)
    }
}
