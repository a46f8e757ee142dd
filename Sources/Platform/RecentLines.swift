import Synchronization
package import Wire

extension Log {
    /// A line of the log, for the status page.
    package struct Line: Sendable, Equatable {
        enum Limits {
            /// The most bytes of the fields of one line. What is beyond is cut.
            static let fields_bytes = 4_096
        }

        package let at: Timestamp
        package let level: Level
        package let message: String
        /// The fields as `key=value`, in the form of the format for people: control characters are escaped.
        package let fields: String
        /// The number of the same lines that were left out before it.
        package let hidden: Int

        init(at: Timestamp, level: Level, message: String, fields: String, hidden: Int) {
            self.at = at
            self.level = level
            self.message = message
            self.hidden = hidden
            let cut = fields.truncated(toBytes: Limits.fields_bytes)
            self.fields = cut.utf8.count < fields.utf8.count ? cut + "…" : fields
        }
    }

    /// The last lines, a few of them.
    final class RecentLines: Sendable {
        enum Limits {
            /// The lines that are kept: what a person reads at a glance. With 4 KiB of fields each they take 80 KiB at most.
            static let lines = 20
        }

        private let lines = Mutex<[Line]>([])

        /// The newest first.
        var all: [Line] { lines.withLock { $0.reversed() } }

        func note(_ line: Line) {
            lines.withLock { lines in
                if lines.count >= Limits.lines { lines.removeFirst() }
                lines.append(line)
            }
        }
    }
}
