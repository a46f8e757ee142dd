import TestSupport
import Testing
import Wire

@testable import Storage

/// Each row once, whatever the rules that made it and whoever hands it over.
@Suite struct OnceTests {
    private let owner = RowOwner.organization(id: "org_a", name: "A")

    private func position(_ input: Int64, _ index: Int64 = 1) -> RowPosition { RowPosition(input: input, index: index) }

    private func write(
        _ positions: [RowPosition?], first: Int64, to store: ApplicationStore, _ history: StartHistory? = nil
    ) throws -> WriteOutcome {
        try store.write(
            positions.map { _ in Row.session(owner) },
            from: RowOrigin(journal: "j", firstSequence: first, positions: positions, history: history), at: noon)
    }

    private func sessions(_ database: any Database) throws -> Int64? {
        try database.first("SELECT COALESCE(SUM(session_count), 0) FROM participant_activity_metrics")[0].asInteger
    }

    @Test(arguments: Adapter.allCases)
    func `rules that make fewer or more rows move those of no other input`(_ adapter: Adapter) throws {
        let (store, database) = try ScratchDatabase(adapter).open()
        let made = [position(1), position(2, 1), position(2, 2), position(3)]
        #expect(try write(made, first: 1, to: store).written == 4)
        // One row of input 2 is not made any more, then two more are; input 4 is new each time.
        let fewer = try write([position(1), position(2), position(3), position(4)], first: 1, to: store)
        #expect(fewer.repeated == 3 && fewer.written == 1)
        let more = try write(
            [position(1), position(2, 1), position(2, 2), position(2, 3), position(3), position(4), position(5)],
            first: 1, to: store)
        #expect(more.repeated == 6 && more.written == 1)
        #expect(try sessions(database) == 6)
        #expect(try database.first("SELECT sequence FROM lkpush_outbox") == [.integer(7)])
    }

    @Test(arguments: Adapter.allCases)
    func `where all rows are there under other numbers, the number follows`(_ adapter: Adapter) throws {
        let (store, database) = try ScratchDatabase(adapter).open()
        _ = try write([position(1, 1), position(1, 2), position(2)], first: 1, to: store)
        #expect(try write([position(1), position(2)], first: 1, to: store).repeated == 2)
        #expect(try database.first("SELECT sequence FROM lkpush_outbox") == [.integer(2)])
        // A program that knows only numbers goes on after it.
        #expect(
            try store.write([Row.session(owner)], from: RowOrigin(journal: "j", firstSequence: 3), at: noon).written
                == 1)
        #expect(try sessions(database) == 4)
    }

    @Test(arguments: Adapter.allCases)
    func `after an older program has written, only the number counts`(_ adapter: Adapter) throws {
        let (store, database) = try ScratchDatabase(adapter).open()
        _ = try write([position(5), position(6)], first: 1, to: store)
        // As the program before does it: it knows no other table.
        _ = try database.run("UPDATE lkpush_outbox SET sequence = 4 WHERE journal = 'j'", [])
        let outcome = try write([position(7), position(8), position(9)], first: 3, to: store)
        #expect(outcome.repeated == 2 && outcome.written == 1)
        #expect(try write([position(9)], first: 5, to: store).repeated == 1)
    }

    @Test(arguments: Adapter.allCases)
    func `rows of an older program in the outbox go by their numbers, those after them by their inputs`(
        _ adapter: Adapter
    ) throws {
        let (store, database) = try ScratchDatabase(adapter).open()
        _ = try store.write([Row.session(owner)], from: RowOrigin(journal: "j", firstSequence: 1), at: noon)
        let outcome = try write([nil, nil, position(3), position(4)], first: 1, to: store)
        #expect(outcome.repeated == 1 && outcome.written == 3)
        // One that comes twice, as from a disk that was not trusted, is written once.
        let again = try write([position(4), position(5), position(5), position(6)], first: 4, to: store)
        #expect(again.repeated == 2 && again.written == 2)
        #expect(try sessions(database) == 6)
    }

    // MARK: Copies

    private static let starts = [("a", 0), ("b", 100), ("c", 150)].map { ProcessStart(id: $0.0, after: $0.1) }

    @Test(
        arguments: [
            // Nothing is there, or this very start wrote it.
            (0, nil, nil, nil), (900, 900, "a:0 b:100 c:150", nil),
            // Nobody says who wrote: the numbers of this state count.
            (20, nil, nil, nil), (21, nil, nil, 150),
            // An earlier start wrote what it can have written, or more.
            (900, 150, "a:0 b:100", nil), (900, 151, "a:0 b:100", 150), (900, 101, "a:0", 100),
            (20, nil, "a:0 b:100", nil), (21, nil, "a:0 b:100", 150),
            // A start that is not known: the ways parted at the first one after the last common one, on either side.
            (900, 500, "a:0 b:100 x:130", 130), (900, 500, "a:0 b:100 x:400 y:450", 150),
            (900, 500, "a:0 b:100 c:150 x:170", 170),
            (900, 500, "a:0 b:100 c:150 x:170 y:600", 170), (1, 1, "x:40", 0),
        ] as [(Int64, Int64?, String?, Int64?)])
    func `a copy is known by who wrote, and how far`(
        _ sequence: Int64, _ input: Int64?, _ starts: String?, _ fork: Int64?
    ) {
        let mark = AppliedMark(
            sequence: sequence, position: input.map { position($0) }, starts: starts.map { ProcessStart.list($0) })
        #expect(StartHistory(starts: Self.starts, knownSequence: 20).fork(from: mark) == fork)
        #expect(StartHistory(starts: Self.starts, knownSequence: 20, sharesRows: true).fork(from: mark) == nil)
        #expect(StartHistory(starts: [], knownSequence: 20).fork(from: mark) == nil)
    }

    @Test(arguments: Adapter.allCases)
    func `nothing is written for a copy, and what is shared is written by whoever comes first`(
        _ adapter: Adapter
    ) throws {
        let (store, database) = try ScratchDatabase(adapter).open()
        let original = StartHistory(
            starts: [ProcessStart(id: "a", after: 0), ProcessStart(id: "b", after: 4)], knownSequence: 0)
        var copy = StartHistory(
            starts: [ProcessStart(id: "a", after: 0), ProcessStart(id: "x", after: 4)], knownSequence: 0)
        #expect(try write([position(3), position(5)], first: 1, to: store, original).written == 2)
        let refused = try write([position(4), position(6)], first: 2, to: store, copy)
        #expect(refused.copiedAfter == 4 && refused.count == 0)
        copy.sharesRows = true
        let shared = try write([position(3), position(4)], first: 1, to: store, copy)
        #expect(shared.repeated == 2 && shared.written == 0)
        #expect(try write([position(5), position(6)], first: 2, to: store, original).written == 1)
        #expect(try sessions(database) == 3)
    }

    @Test(arguments: Adapter.allCases)
    func `a database that has less than it had is told`(_ adapter: Adapter) throws {
        let (store, database) = try ScratchDatabase(adapter).open()
        var history = StartHistory(starts: [ProcessStart(id: "a", after: 0)], knownSequence: 0)
        #expect(try !write([position(3)], first: 1, to: store, history).isBehind)
        history.appliedInput = 5
        #expect(try write([position(6)], first: 3, to: store, history).isBehind)
        history.appliedInput = 6
        #expect(try !write([position(7)], first: 4, to: store, history).isBehind)
        _ = try database.run("DELETE FROM lkpush_outbox", [])
        #expect(try write([position(8)], first: 5, to: store, history).isBehind)
    }

    @Test(arguments: Adapter.allCases)
    func `what is in use is not forgotten, however long nothing was written`(_ adapter: Adapter) throws {
        let (store, _) = try ScratchDatabase(adapter).open()
        _ = try write([position(1)], first: 1, to: store)
        #expect(try store.forgetOrigins(before: noon + .seconds(1), except: "j") == 0)
        #expect(try write([position(1)], first: 1, to: store).repeated == 1)
    }

    // MARK: Rights

    @Test func `a file that another process is writing to can be opened, and one may read what may not be written`()
        throws
    {
        let scratch = try ScratchDatabase(.sqlite)
        let (_, database) = try scratch.open()
        try database.begin(.write)
        #expect(try ApplicationStore(scratch.connect()).migrate(at: noon) == [])
        database.rollBack()
        let server = try PostgresServer.shared()
        let name = try server.newDatabase()
        _ = try ApplicationStore(try PostgresSchemas.connect(server.url(database: name))).migrate(at: noon)
        try server.query("ALTER DATABASE \(name) SET default_transaction_read_only = on")
        let store = ApplicationStore(try PostgresSchemas.connect(server.url(database: name)))
        #expect(try store.migrate(at: noon) == [])
        #expect(store.withheld(.positions) == nil)
        #expect(try store.organization(ofRoom: "unknown") == .failure(.room_not_found))
    }

    @Test func `without the right to keep positions rows are still written once, and it is known why`() throws {
        let server = try PostgresServer.shared()
        let name = try server.newDatabase()
        let owner = ApplicationStore(try PostgresSchemas.connect(server.url(database: name)))
        _ = try owner.migrate(at: noon)
        #expect(owner.withheld(.positions) == nil)
        let role = "guarded"
        try server.query(
            """
            DROP TABLE lkpush_outbox_positions; DELETE FROM lkpush_migrations WHERE name LIKE '000031%';
            REVOKE CREATE ON SCHEMA public FROM PUBLIC; GRANT USAGE ON SCHEMA public TO \(role);
            GRANT SELECT ON organizations, rooms, org_licenses, lkpush_migrations, lkpush_facts TO \(role);
            GRANT INSERT, UPDATE ON organizations TO \(role);
            GRANT SELECT, INSERT, UPDATE, DELETE ON recordings, room_presence, participant_activity_metrics,
                lkpush_outbox TO \(role);
            """, in: name)
        let url = "postgresql://\(role):\(PostgresServer.password)@127.0.0.1:\(server.port)/\(name)"
        func open() throws -> ApplicationStore { ApplicationStore(try PostgresSchemas.connect(url)) }
        let store = try open()
        #expect(try store.migrate(at: noon) == [])
        #expect(store.withheld(.positions)?.code == "42501")
        let history = StartHistory(starts: [ProcessStart(id: "a", after: 0)], knownSequence: 0)
        #expect(try write([position(1), position(2)], first: 1, to: store, history).written == 2)
        #expect(
            try write(
                [position(1), position(2)], first: 1, to: store, StartHistory(starts: history.starts, knownSequence: 2)
            ).repeated == 2)
        // Made by its owner, but not granted; then granted.
        #expect(try owner.migrate(at: noon) == ["000031_lkpush_outbox_positions"])
        let refused = try open()
        #expect(try refused.migrate(at: noon) == [])
        #expect(refused.withheld(.positions)?.code == "42501")
        #expect(
            try write([position(3)], first: 3, to: refused, StartHistory(starts: history.starts, knownSequence: 2))
                .written
                == 1)
        try server.query("GRANT SELECT, INSERT, UPDATE, DELETE ON lkpush_outbox_positions TO \(role)", in: name)
        let allowed = try open()
        #expect(try allowed.migrate(at: noon) == [])
        #expect(allowed.withheld(.positions) == nil)
        #expect(
            try write(
                [position(3), position(4)], first: 3, to: allowed,
                StartHistory(starts: history.starts, knownSequence: 3)
            ).written == 1)
    }
}
