import Glibc
import Journal
import JournalSQLite
import Platform
import TestSupport
import Testing
import Wire

/// A folder with a journal in it, and the entries that tests write. Entry `n` is always the same.
struct JournalFileFixture {
    let folder = TemporaryFolder()
    static let noon = Timestamp(seconds: 1_790_000_000)

    var directory: String { folder.file("state") }
    var file: String { directory + "/journal.db" }

    func open() throws(JournalError) -> JournalFile {
        try JournalFile(directory: directory, now: Self.noon)
    }

    /// The text of entry `number`. Its length varies, so that some groups fill more than a page.
    static func text(_ number: Int64) -> String {
        "\(number):" + String(repeating: "x", count: Int(number &* 7_919 % 400))
    }

    static func append(_ numbers: ClosedRange<Int64>, to group: inout Group) {
        group.restart(first: numbers.lowerBound)
        for number in numbers {
            group.append { writer in
                writer.field(1, number)
                writer.field(2, text(number))
            }
        }
    }

    static func events(_ numbers: ClosedRange<Int64>) -> Commit {
        var commit = Commit()
        append(numbers, to: &commit.events)
        return commit
    }

    static func inputs(_ numbers: ClosedRange<Int64>) -> Commit {
        var commit = Commit()
        append(numbers, to: &commit.inputs)
        return commit
    }

    static func truncation(_ change: (inout Truncation) -> Void) -> Commit {
        var commit = Commit()
        var truncation = Truncation()
        change(&truncation)
        commit.truncation = truncation
        return commit
    }

    /// The entries that a cursor gives.
    struct Content: Equatable {
        var numbers: [Int64] = []
        var damaged: [ClosedRange<Int64>] = []
        /// The number of entries with another content than that of their number.
        var invented = 0

        init() {}

        init(_ cursor: GroupCursor) throws {
            var cursor = cursor
            while let step = try cursor.next() {
                switch step {
                case .damaged(let from, let to): damaged.append(from...to)
                case .entry(let number, var reader):
                    numbers.append(number)
                    var found: Int64 = 0
                    var text = ""
                    while let field = try reader.next() {
                        if field == 1 { found = try reader.int64() } else { text = try reader.string() }
                    }
                    if found != number || text != JournalFileFixture.text(number) { invented += 1 }
                }
            }
        }

        /// All entries from 1 to `last`, which may be 0.
        static func upTo(_ last: Int64) -> Content { last == 0 ? Content() : whole(1...last) }

        static func whole(_ numbers: ClosedRange<Int64>) -> Content {
            var content = Content()
            content.numbers = Array(numbers)
            return content
        }
    }

    /// Copies the files of a journal, as a crash would leave them.
    static func copy(_ source: String, to target: String) throws {
        try FileStore.makeDirectory(target)
        for suffix in ["", "-wal"] {
            guard let bytes = try? FileStore.read(source + suffix, limit: 1 << 30) else { continue }
            try FileStore.replace("\(target)/journal.db\(suffix)", with: bytes)
        }
    }
}
