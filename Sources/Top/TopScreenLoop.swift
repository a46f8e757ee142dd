import Glibc
import Platform
import Wire

/// The live picture in a terminal, until a key or a signal ends it.
final class TopScreenLoop {
    private enum Limits {
        static let interval = Duration.seconds(1)
        /// While nothing answers, the picture says for how long.
        static let silence = Duration.seconds(1)
        /// A terminal that does not tell its size.
        static let size = TopPicture.Size(rows: 24, columns: 80)
    }

    private let asker: StatusAsker
    private let interval: Duration
    private let screen: Screen
    private let time = SystemTime()
    private var picture: TopPicture
    private var keys = KeyReader()

    init(_ options: TopOptions, _ asker: StatusAsker, _ glyphs: Glyphs, hasColors: Bool) {
        self.asker = asker
        interval = options.interval ?? Limits.interval
        screen = Screen(hasColors: hasColors)
        picture = TopPicture(address: options.address, notes: options.notes, glyphs: glyphs)
    }

    func run() -> Int32 {
        let inbox = TopInbox()
        let screen = screen
        TopSignals.start(isPicture: true, inbox, asker.waker) { screen.restoreKeyboard() }
        guard screen.enter() else { return TopCommand.Exit.output }
        let keyboard = screen.hasKeyboard ? Keyboard(inbox, asker.waker) : nil
        let status = show(inbox)
        keyboard?.end()
        screen.restore()
        return status
    }

    private func show(_ inbox: TopInbox) -> Int32 {
        var isDue = true
        while true {
            if isDue {
                let size = size
                guard screen.show(picture.frame(size, at: time.now()), columns: size.columns) else {
                    return TopCommand.Exit.output
                }
            }
            let deadline = picture.failure == nil ? nil : time.monotonic() + Limits.silence
            let answer = asker.turn(every: interval, until: deadline)
            isDue = answer != nil || picture.failure != nil
            switch answer {
            case .document(let document, _)?: picture.take(document)
            case .failure(let failure)?: picture.take(failure, at: time.now())
            case nil: break
            }
            let news = inbox.take()
            if let number = news.ended { return 128 + number }
            if news.isSuspended {
                screen.restore()
                TopSignals.suspend()
            }
            if news.isSuspended || news.isChanged {
                guard screen.enter() else { return TopCommand.Exit.output }
                isDue = true
            }
            for key in keys.read(news.keys) {
                switch picture.press(key) {
                case .nothing: break
                case .draw: isDue = true
                case .ask: asker.hurry()
                case .end: return TopCommand.Exit.good
                }
            }
        }
    }

    /// It is asked before each frame, because a window can change its size.
    private var size: TopPicture.Size {
        guard let (rows, columns) = Terminal.size(of: STDOUT_FILENO) else { return Limits.size }
        return TopPicture.Size(rows: rows, columns: columns)
    }
}
