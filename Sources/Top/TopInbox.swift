import Platform

/// What happens while the picture is shown: keys and signals. Other threads put it in, the main thread takes it out.
final class TopInbox: Sendable {
    /// What has happened since the last look.
    struct News: Sendable, Equatable {
        var keys: [UInt8] = []
        /// The window has another size, or the program was stopped and goes on.
        var isChanged = false
        /// Ctrl-Z.
        var isSuspended = false
        /// The number of the signal that ends the program.
        var ended: Int32?
    }

    private enum Limits {
        /// Keys that nobody has read yet; more is a paste by mistake.
        static let keys = 4_096
    }

    private let news = Monitor(News())

    func put(keys: [UInt8]) {
        news.withLock { if $0.keys.count < Limits.keys { $0.keys += keys } }
    }

    func put(change: (inout News) -> Void) { news.withLock { change(&$0) } }

    func take() -> News {
        news.withLock { news in
            defer { news = News() }
            return news
        }
    }
}
