import Journal
import JournalPostgres
import Platform
import Postgres
import TestSupport
import Wire

/// A log of its own in a database that all tests share. Entry `n` is always the same.
struct LogFixture {
    static let noon = Timestamp(seconds: 1_790_000_000)
    private static let shared = Monitor<(database: String?, logs: Int)>((nil, 0))

    let server: PostgresServer
    let database: String
    let name: String

    init() throws {
        let server = try PostgresServer.shared()
        self.server = server
        let (database, number) = try Self.shared.change { shared in
            let database = try shared.database ?? server.newDatabase()
            shared = (database, shared.logs + 1)
            return (database, shared.logs)
        }
        (self.database, name) = (database, "log-\(number)")
    }

    /// A log in a database of its own, on a server of its own where one is given.
    init(ownDatabaseOn server: PostgresServer) throws {
        self.server = server
        database = try server.newDatabase()
        name = "lkpush"
    }

    /// No time-out ends anything before the wait of a test for it does.
    static var patient: LogSettings {
        var settings = LogSettings()
        settings.connect = Waits.limit
        settings.statement = Waits.limit
        settings.lock = Waits.limit
        settings.idle = Waits.limit
        settings.peer = Waits.limit
        settings.grace = Waits.limit
        return settings
    }

    /// The log as a replica of its own reaches it. `port` may be that of a proxy.
    func log(
        named other: String? = nil, port: UInt16? = nil, _ settings: LogSettings = patient,
        interruption: Interruption = Interruption()
    ) throws -> PostgresLog {
        let url = try PostgresURL(server.url(database: database, port: port))
        return PostgresLog(url: url, name: other ?? name, interruption: interruption, settings: settings)
    }

    /// Takes the lease, whoever has it. Returns the epoch.
    func takeLease(_ log: PostgresLog, holder: String = "a") throws -> Int64 {
        let lease = log.lease()
        defer { lease.close() }
        let record = try lease.look()
        let epoch = try lease.take(
            .stoodStill(renewal: record.renewal), after: record.epoch, holder: holder, fingerprint: "f",
            lasting: .seconds(3_600))
        guard let epoch else { throw JournalError(.other, "the lease was not taken") }
        return epoch
    }

    /// Opens the journal under an epoch.
    func open(
        _ log: PostgresLog, epoch: Int64, format: Int = 1, hasLost: Bool = false
    ) throws -> any StateJournal {
        let open = log.journal(epoch: epoch, snapshotFormat: format, hasLost: hasLost)
        guard case .opened(let journal) = try open(Self.noon) else {
            throw JournalError(.other, "somebody has the journal")
        }
        return journal
    }

    /// Takes the lease and opens the journal.
    func lead(_ log: PostgresLog? = nil) throws -> any StateJournal {
        let log = try log ?? self.log()
        return try open(log, epoch: takeLease(log))
    }

    /// Runs SQL on the tables as an administrator.
    @discardableResult
    func query(_ sql: String) throws -> String { try server.query(sql, in: database) }

    // MARK: Entries

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

    /// A group of events of a producer, with the entries of these numbers.
    static func group(_ producer: String, _ number: Int64, _ entries: ClosedRange<Int64>) -> ProducedGroup {
        var group = Group()
        append(entries, to: &group)
        return ProducedGroup(producer: producer, number: number, count: group.count, bytes: group.bytes)
    }
}

/// The entries that a cursor gives.
struct Content: Equatable {
    var numbers: [Int64] = []
    /// The number that stands in each entry.
    var values: [Int64] = []
    var damaged: [ClosedRange<Int64>] = []

    init() {}

    init(_ cursor: any EntryCursor) throws {
        var cursor = cursor
        while let step = try cursor.next() {
            switch step {
            case .damaged(let from, let to): damaged.append(from...to)
            case .entry(let number, var reader):
                numbers.append(number)
                while let field = try reader.next() {
                    if field == 1 { values.append(try reader.int64()) } else { try reader.skip() }
                }
            }
        }
    }

    /// Entries whose number stands in them.
    static func whole(_ numbers: ClosedRange<Int64>) -> Content {
        var content = Content()
        content.numbers = Array(numbers)
        content.values = Array(numbers)
        return content
    }

    /// All entries from 1 to `last`, which may be 0.
    static func upTo(_ last: Int64) -> Content { last == 0 ? Content() : whole(1...last) }
}

/// The kind of the error that `body` throws; nil where it throws none.
func kind(_ body: () throws -> Void) -> JournalError.Kind? {
    do { try body() } catch { return (error as? JournalError)?.kind }
    return nil
}
