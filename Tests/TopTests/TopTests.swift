import Glibc
import Platform
import Status
import TestSupport
import Testing
import Wire

@testable import Top

private let unicode = Glyphs(isUnicode: true)
private let ascii = Glyphs(isUnicode: false)

private func picture(_ document: StatusDocument?, _ glyphs: Glyphs = unicode, notes: [String] = []) -> TopPicture {
    var picture = TopPicture(address: "http://127.0.0.1:9464", notes: notes, glyphs: glyphs)
    if let document { picture.take(document) }
    return picture
}

private let refused = TopPicture.Failure(
    reason: "The connection was refused: Failed to connect to 127.0.0.1 port 9464.", action: "See whether lkpush runs.")

/// Screens as they are drawn. `UPDATE_GOLDEN=1` rewrites them, and a reviewer reads the difference.
@Suite struct GoldenPictureTests {
    private static let sizes = [(80, 24), (120, 40), (60, 20), (40, 15)]

    private func check(_ name: String, _ lines: [Line]) throws {
        let text = lines.map { $0.text.trimmedAtEnd + "\n" }.joined()
        let path = "\(Repository.root)/Tests/TopTests/Data/\(name).txt"
        if ProcessEnvironment.current["UPDATE_GOLDEN"] == "1" { try FileStore.replace(path, with: Array(text.utf8)) }
        let expected = String(decoding: try FileStore.read(path, limit: 1 << 20), as: UTF8.self)
        #expect(Array(text.utf8) == Array(expected.utf8), "\(name): UPDATE_GOLDEN=1 rewrites it\n\(text)")
    }

    @Test(arguments: sizes) func `the first screen of every state`(columns: Int, rows: Int) throws {
        let states = [
            ("healthy", Documents.healthy), ("degraded", Documents.degraded), ("failing", Documents.failing),
            ("hostile", Documents.hostile),
        ]
        for (name, document) in states {
            var picture = picture(document)
            let size = TopPicture.Size(rows: rows, columns: columns)
            try check("\(name)-\(columns)x\(rows)", picture.frame(size, at: Documents.now).lines)
        }
        for (name, document) in [("silent", Documents.healthy), ("never", nil)] {
            var picture = picture(document, notes: ["logs  /tmp/lkpush/*.log"])
            picture.take(refused, at: Documents.ago(12))
            let size = TopPicture.Size(rows: rows, columns: columns)
            try check("\(name)-\(columns)x\(rows)", picture.frame(size, at: Documents.now).lines)
        }
    }

    @Test func `a whole page, in UTF-8 and in ASCII`() throws {
        try check("whole-failing-100", picture(Documents.failing).page(columns: 100, at: Documents.now))
        try check("whole-hostile-80", picture(Documents.hostile).page(columns: 80, at: Documents.now))
        try check("whole-healthy-80-ascii", picture(Documents.healthy, ascii).page(columns: 80, at: Documents.now))
        try check("whole-degraded-20", picture(Documents.degraded).page(columns: 20, at: Documents.now))
    }

    @Test func `a replica says who leads, and a standby shows nothing that is the leader's`() throws {
        for (name, document) in [
            ("leader", Documents.leader), ("standby", Documents.standby), ("leaderless", Documents.leaderless),
        ] {
            try check("whole-\(name)-80", picture(document).page(columns: 80, at: Documents.now))
        }
        var report = PlainReport(glyphs: unicode)
        try check(
            "plain-replicas",
            [Documents.leader, Documents.standby, Documents.leaderless].flatMap { report.lines($0) })
    }

    @Test func `plain lines of a day that goes wrong and comes right`() throws {
        var report = PlainReport(glyphs: unicode)
        var lines: [Line] = []
        for document in [Documents.healthy, Documents.degraded, Documents.degraded, Documents.failing] {
            lines += report.lines(document)
        }
        lines += report.lines(refused, at: Documents.now)
        lines += report.lines(Documents.degraded) + report.lines(Documents.healthy)
        #expect(lines.allSatisfy { $0.width <= 80 })
        try check("plain", lines)
    }
}

/// What holds for every document and every size.
@Suite struct PicturePropertyTests {
    /// The columns of a text, counted without the code under test.
    private static func columns(_ text: String) -> Int {
        text.unicodeScalars.reduce(0) { $0 + (CharacterWidth.columns($1) ?? 1_000_000) }
    }

    private static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F...0x9F, 0xAD, 0x061C, 0x200B, 0x200E...0x200F, 0x2028...0x202E, 0x2060...0x206F, 0xFEFF,
            0xFE00...0xFE0F, 0xE000...0xF8FF, 0xE0000...0xE0FFF:
            false
        default: true
        }
    }

    private static func withoutSpaces(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.filter { $0 != " " }))
    }

    @Test func `no line is wider than the terminal, and nothing in it commands the terminal`() {
        var generator = SeededGenerator(seed: 61)
        for round in 0..<24 {
            let document = Documents.generated(&generator)
            let columns = Int.random(in: 20...200, using: &generator)
            for glyphs in [unicode, ascii] {
                var picture = picture(document, glyphs, notes: ["a note"])
                if round % 4 == 0 { picture.take(refused, at: Documents.ago(5)) }
                for line in picture.page(columns: columns, at: Documents.now) {
                    let width = Self.columns(line.text)
                    #expect(width == line.width && width <= columns, "\(columns): \(line.text)")
                    #expect(line.text.unicodeScalars.allSatisfy(Self.isHarmless), "\(line.text)")
                    #expect(glyphs.isUnicode || line.text.utf8.allSatisfy { $0 < 0x7F }, "\(line.text)")
                }
            }
        }
    }

    @Test func `cause, cost and action of every problem are complete at every width`() {
        var generator = SeededGenerator(seed: 62)
        for columns in [20, 21, 22, 23, 29, 40, 47, 60, 80, 120, 200] {
            for document in [Documents.failing, Documents.hostile, Documents.generated(&generator)] {
                let lines = picture(document).page(columns: columns, at: Documents.now)
                let all = Self.withoutSpaces(lines.map(\.text).joined())
                for problem in document.health.problems {
                    for text in [problem.what, problem.cost, problem.action, problem.subject] {
                        let expected = Self.withoutSpaces(unicode.cells(text).map(\.text).joined())
                        #expect(
                            expected.isEmpty || Array(all.utf8).firstRange(of: Array(expected.utf8)) != nil,
                            "\(columns): \(text)")
                    }
                }
            }
        }
    }

    @Test func `each line of the page can be reached`() {
        for (rows, columns) in [(4, 20), (10, 60), (24, 80), (500, 80)] {
            var picture = picture(Documents.degraded)
            let size = TopPicture.Size(rows: rows, columns: columns)
            let page = picture.page(columns: columns, at: Documents.now)
            // The last row tells the place.
            var seen = Array(picture.frame(size, at: Documents.now).lines.dropLast())
            while picture.press(.line(1)) == .draw {
                seen += picture.frame(size, at: Documents.now).lines.dropLast().suffix(1)
            }
            #expect(seen.prefix(page.count) == page[...])
        }
    }

    @Test func `no screen is too small`() {
        for (rows, columns) in [(1, 1), (1, 80), (2, 3), (3, 10), (4, 5), (5, 200)] {
            var picture = picture(Documents.failing)
            let size = TopPicture.Size(rows: rows, columns: columns)
            for key in [Key.first, .page(1), .last, .keys, .last, .leave] {
                let lines = picture.frame(size, at: Documents.now).lines
                #expect(lines.count <= rows && lines.allSatisfy { $0.width <= max(2, columns) })
                _ = picture.press(key)
            }
        }
    }

    @Test func `the bytes of a frame hold no control characters but those of the frame`() throws {
        var picture = picture(Documents.hostile)
        for hasColors in [false, true] {
            let lines = picture.frame(TopPicture.Size(rows: 400, columns: 90), at: Documents.now).lines
            var screen = TerminalScreen(rows: 400, columns: 90)
            screen.write(Screen.bytes(lines, columns: 90, hasColors: hasColors))
            #expect(screen.faults.isEmpty)
            #expect(screen.lines.map(\.trimmedAtEnd) == lines.map(\.text.trimmedAtEnd))
            #expect(screen.hasStyles == hasColors)
        }
    }
}

/// Keys, sections and figures.
@Suite struct PictureTests {
    private func text(_ picture: TopPicture, columns: Int = 100) -> String {
        picture.page(columns: columns, at: Documents.now).map(\.text).joined(separator: "\n")
    }

    @Test func `problems come before figures, and figures before lists`() throws {
        let text = text(picture(Documents.failing, notes: ["logs /tmp/x"]))
        let order = [
            "FAILING", "NOT READY", "!! CRITICAL", "Do: ", "! WARNING", "logs /tmp/x", "Webhooks", "17 bad_signature",
            "Journal",
            "disk", "Database", "-> default", "LiveKit API", "Now", "Process", "Last 15 min", "organization",
            "Rejected requests",
        ]
        var rest = text[...]
        for word in order {
            let place = try #require(rest.firstRange(of: word), "\(word) is missing or too early:\n\(text)")
            rest = rest[place.upperBound...]
        }
    }

    @Test func `what has grown since the document before is told, but not across a restart`() {
        var picture = picture(Documents.healthy)
        var next = Documents.healthy
        next.intake.rejected = 5
        picture.take(next)
        #expect(text(picture).contains("5 rejected (+5)"))
        next.intake.rejected = 9
        next.program.started = Documents.ago(1)
        picture.take(next)
        #expect(text(picture).contains("9 rejected\n") || text(picture).contains("9 rejected "))
        #expect(!text(picture).contains("(+"))
    }

    @Test func `silence is told with its length, the last figures are marked as old, and an answer ends it`() {
        var picture = picture(Documents.healthy)
        picture.take(refused, at: Documents.ago(90))
        picture.take(refused, at: Documents.ago(3))
        #expect(text(picture).contains("NO ANSWER  for 1 min 30 s"))
        #expect(text(picture).contains("OLD: everything below is as it was at"))
        #expect(text(picture).contains("1,200 people"))
        picture.take(Documents.healthy)
        #expect(!text(picture).contains("NO ANSWER") && !text(picture).contains("OLD"))
    }

    @Test func `keys scroll within the page, and the last line says where`() {
        var picture = picture(Documents.failing)
        let size = TopPicture.Size(rows: 10, columns: 80)
        func frame() -> [String] { picture.frame(size, at: Documents.now).lines.map(\.text) }
        let first = frame()
        #expect(first[9].contains("lines 1-9 of "))
        #expect(picture.press(.line(-1)) == .nothing)
        #expect(picture.press(.line(1)) == .draw)
        #expect(frame()[0] == first[1])
        #expect(frame()[9].contains("FAILING: 3 problems"))
        #expect(picture.press(.page(1)) == .draw)
        #expect(picture.press(.last) == .draw)
        #expect(frame()[9].contains("end"))
        #expect(picture.press(.page(1)) == .nothing)
        #expect(picture.press(.first) == .draw)
        #expect(frame() == first)
        #expect(picture.press(.keys) == .draw)
        #expect(frame()[0] == " Keys")
        #expect(picture.press(.leave) == .draw)
        #expect(frame() == first)
        #expect(picture.press(.refresh) == .ask)
        #expect(picture.press(.end) == .end)
    }

    @Test func `a page that becomes shorter is never scrolled beyond its end`() {
        var picture = picture(Documents.hostile)
        let size = TopPicture.Size(rows: 12, columns: 80)
        _ = picture.frame(size, at: Documents.now)
        _ = picture.press(.last)
        picture.take(Documents.healthy)
        let lines = picture.frame(size, at: Documents.now).lines
        #expect(lines.count == 12 && lines[10].width > 0)
    }

    @Test func `keys are read from whatever parts their bytes come in`() {
        let table: [(String, [Key])] = [
            ("q", [.end]), ("\u{3}", [.end]), ("r", [.refresh]), ("h", [.keys]), ("?", [.keys]),
            ("jk", [.line(1), .line(-1)]),
            ("\u{1B}[A", [.line(-1)]), ("\u{1B}OB", [.line(1)]), ("\u{1B}[5~", [.page(-1)]), ("\u{1B}[6~", [.page(1)]),
            ("\u{1B}[H\u{1B}[F", [.first, .last]), ("\u{1B}[1~\u{1B}[4~", [.first, .last]),
            ("\u{1B}[7~\u{1B}[8~", [.first, .last]), ("\u{1B}[1;5A", [.line(-1)]), ("\u{1B}[200~", []), ("x", []),
            ("\u{1B}[99999999999999999999~q", [.end]), ("\u{1B}\u{1B}", [.leave]), ("gG ", [.first, .last, .page(1)]),
        ]
        for (text, expected) in table {
            var reader = KeyReader()
            #expect(reader.read(Array(text.utf8)) == expected, "\(text.debugDescription)")
            reader = KeyReader()
            #expect(text.utf8.flatMap { reader.read([$0]) } == expected, "\(text.debugDescription)")
        }
    }

    @Test func `figures are written as people read them`() {
        let table: [(String, String)] = [
            (Figures.rate(nil), "-/s"), (Figures.rate(0.04), "0.0/s"), (Figures.rate(9.96), "10/s"),
            (Figures.rate(1e300), "1,000,000,000,000,000/s"), (Figures.size(1_023), "1023 B"),
            (Figures.size(1_024), "1.0 KiB"),
            (Figures.size(.max), "8,192 PiB"), (Figures.time(0.0012), "1.2 ms"), (Figures.time(0.25), "0.25 s"),
            (Figures.time(9.999), "9 s"), (Figures.time(61), "1 min 1 s"), (Figures.time(.nan), "0.0 ms"),
            (Figures.percent(0.034), "3.4%"), (Figures.value(0.5, of: "cpu_ratio"), "50%"),
            (Figures.value(3, of: "queue_events"), "3"), (Figures.title(of: "resident_memory_bytes"), "resident"),
            (Figures.clock(Timestamp(seconds: 1_795_000_000)), "11:06:40"),
        ]
        for (found, expected) in table { #expect(found == expected) }
    }

    @Test func `bars begin at 0, reach the top, and leave gaps where nothing is known`() {
        #expect(Sparkline.text([0, 1, 2, 4, nil, 8], columns: 10, isUnicode: true) == "▁▂▃▅ █")
        #expect(Sparkline.text([0, 1, 2, 4, nil, 8], columns: 10, isUnicode: false) == "_.-+ @")
        #expect(Sparkline.text([1, 8, 0, 2], columns: 2, isUnicode: true) == "█▃")
        #expect(Sparkline.text([0, 0], columns: 9, isUnicode: true) == "▁▁")
        #expect(Sparkline.text([], columns: 9, isUnicode: true).isEmpty)
        #expect(Sparkline.text([1], columns: 0, isUnicode: true).isEmpty)
    }

    @Test func `names that are too long are cut with an ellipsis`() {
        let paper = Paper(columns: 80, glyphs: unicode)
        func cut(_ text: String, _ width: Int) -> String { paper.cut(text, to: width).map(\.text).joined() }
        #expect(cut("abc", 3) == "abc")
        #expect(cut("abcd", 3) == "ab…")
        #expect(cut("漢字漢", 5) == "漢字…")
        #expect(cut("漢字漢", 6) == "漢字漢")
        #expect(cut("a\u{1B}b", 4) == "a…")
        #expect(cut("abcd", 0).isEmpty)
        let plain = Paper(columns: 80, glyphs: ascii)
        #expect(plain.cut("abcdef", to: 5).map(\.text).joined() == "ab...")
    }

    @Test func `JSON for people says the same and commands nothing`() throws {
        let line = PlainJSON.line(Documents.hostile.json)
        #expect(line.hasSuffix("}\n"))
        #expect(line.unicodeScalars.dropLast().allSatisfy { $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) })
        #expect(!line.unicodeScalars.contains { (0x202A...0x202E).contains($0.value) })
        #expect(try StatusDocument(json: Array(line.dropLast().utf8)) == Documents.hostile)
    }
}

extension String {
    /// Spaces at the end of a line are not seen.
    var trimmedAtEnd: String {
        var scalars = Substring(self).unicodeScalars
        while scalars.last == " " { scalars.removeLast() }
        return String(scalars)
    }
}
