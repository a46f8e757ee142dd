import Glibc
import Platform
import Status
import Wire

/// Lines or documents on standard output, until a signal ends it, nobody reads it, or lkpush does not answer.
final class TopLineLoop {
    private enum Limits {
        static let interval = Duration.seconds(5)
        /// An lkpush that restarts is waited for: a minute at the standard interval.
        static let silences = 12
    }

    private let options: TopOptions
    private let asker: StatusAsker
    private let glyphs: Glyphs
    private let isTerminal: Bool
    private let hasColors: Bool
    private let time = SystemTime()
    private let inbox = TopInbox()
    private var report: PlainReport
    private var silences = 0
    private var hasAnswered = false

    init(_ options: TopOptions, _ asker: StatusAsker, _ glyphs: Glyphs, isTerminal: Bool, hasColors: Bool) {
        self.options = options
        self.asker = asker
        self.glyphs = glyphs
        self.isTerminal = isTerminal
        self.hasColors = hasColors
        report = PlainReport(glyphs: glyphs, columns: Terminal.columns(of: STDOUT_FILENO) ?? PlainReport.Limits.columns)
    }

    func run() -> Int32 {
        TopSignals.start(isPicture: false, inbox, asker.waker) {}
        if !options.isJSON, !options.isOnce {
            for note in options.notes {
                var paper = Paper(columns: PlainReport.Limits.columns, glyphs: glyphs)
                paper.paragraph([.init(note)], hanging: 2)
                guard write(paper.lines) else { return outputFault }
            }
        }
        while true {
            let answer = asker.turn(every: options.interval ?? Limits.interval)
            if let number = inbox.take().ended { return 128 + number }
            switch answer {
            case nil: continue
            case .document(let document, let json)?:
                hasAnswered = true
                silences = 0
                guard write(document, json) else { return outputFault }
                if options.isOnce { return TopCommand.Exit.good }
            case .failure(let failure)?:
                silences += 1
                if options.isOnce || !hasAnswered || silences >= Limits.silences { return giveUp(failure) }
                // Only the first one: the next line with figures says that it is over.
                if silences == 1 {
                    if options.isJSON {
                        Terminal.printError(text(failure))
                    } else {
                        guard write(report.lines(failure, at: time.now())) else { return outputFault }
                    }
                }
            }
        }
    }

    private func write(_ document: StatusDocument, _ json: [UInt8]) -> Bool {
        if options.isJSON { return Terminal.write(PlainJSON.line(json)) }
        guard options.isOnce else { return write(report.lines(document)) }
        var picture = TopPicture(address: options.address, notes: options.notes, glyphs: glyphs)
        picture.take(document)
        let columns = Terminal.columns(of: STDOUT_FILENO) ?? PlainReport.Limits.columns
        return write(picture.page(columns: columns, at: time.now()))
    }

    private func write(_ lines: [Line]) -> Bool {
        Terminal.write(lines.map { Screen.styled($0, hasColors: hasColors) + "\n" }.joined())
    }

    private func giveUp(_ failure: TopPicture.Failure) -> Int32 {
        Terminal.printError(text(failure))
        return TopCommand.Exit.noAnswer
    }

    /// The failure for standard error.
    private func text(_ failure: TopPicture.Failure) -> String {
        var paper = Paper(columns: Terminal.columns(of: STDERR_FILENO) ?? 120, glyphs: glyphs)
        paper.paragraph([.init("lkpush top: no answer: \(failure.reason) \(failure.action)")], hanging: 4)
        return paper.lines.map { $0.text + "\n" }.joined()
    }

    /// Nobody reads any more, which is no mistake; or the disk is full, for example.
    private var outputFault: Int32 {
        let code = errno
        if code == EPIPE { return TopCommand.Exit.good }
        Terminal.printError("lkpush top: standard output cannot be written: \(String(cString: strerror(code)))\n")
        return TopCommand.Exit.output
    }
}
