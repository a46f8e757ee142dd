import Glibc
import Journal
import Platform
import TestSupport
import Testing
import Wire

/// A journal whose calls fail one by one, each of them once. Whatever fails is all or nothing.
///
/// The disk of SQLite fails in a process that was started with it, so a second process runs that test. PostgreSQL fails by
/// its connection, which is cut before or after each message.
@Suite struct JournalContractFaultTests {
    private static let variable = "JOURNAL_FAULTS"
    /// With `JOURNAL_FAULTS_ALL=1` every message is lost once, and else every fourth.
    static let stride = ProcessEnvironment.current["JOURNAL_FAULTS_ALL"] == nil ? 4 : 1

    /// The parts of a life, in order. Each goes on from the numbers that the journal has.
    private static func step(_ number: Int64, _ place: any JournalPlace, _ journal: any StateJournal) throws -> Commit {
        var commit = Commit()
        let (events, inputs) = (number * 5, number * 3)
        try place.add((events + 1)...(events + 5), to: &commit)
        LogFixture.append((inputs + 1)...(inputs + 3), to: &commit.inputs)
        commit.outboxRows = (1...4).map {
            OutboxRow(sequence: number * 4 + $0, bytes: [UInt8](repeating: UInt8(number), count: 2_000))
        }
        commit.readingSent = LogFixture.noon + .seconds(number)
        switch number {
        case 1: commit.lineage = "first"
        case 2:
            commit.pushedLabels = "a"
            commit.seriesBegan = [[1], [2], [3]]
        case 3:
            commit.rowsAppliedUpTo = 7
            commit.inputAppliedUpTo = 5
            commit.seriesEnded = [[2]]
        case 4: commit.truncation = Truncation(events: 10, inputs: 6)
        case 5:
            commit.deadLetters = [DeadLetter(sequence: 3, at: LogFixture.noon, reason: "r", row: "x")]
            commit.pushedLabels = "b"
            commit.seriesBegan = [[9]]
        default: break
        }
        return commit
    }

    /// Everything that a journal shows.
    private static func picture(_ journal: any StateJournal) throws -> [String] {
        let numbers = journal.numbers
        let rows = try journal.rows(after: 0, limit: 999).elements
        return [
            "\(numbers.lastEvent) \(numbers.lastInput) \(numbers.eventsBase) \(numbers.inputsBase)",
            "\(numbers.rowsApplied) \(numbers.inputApplied) \(numbers.lineage) \(numbers.pushedLabels)",
            "\(numbers.lastReading?.milliseconds ?? 0) \(numbers.deadLetterCount)",
            "\(try Content(journal.entries(.events, after: 0)))", "\(try Content(journal.entries(.inputs, after: 0)))",
            "\(rows.map { [$0.sequence, Int64($0.bytes[0]), Int64($0.bytes.count)] })",
            "\(try journal.shipped().elements.sorted { $0[0] < $1[0] })",
        ]
    }

    /// Lives from the first commit to the last. What fails is done again, as the journal's thread does it.
    private static func live(_ place: any JournalPlace, _ what: String) throws -> [String] {
        var journal: (any StateJournal)?
        while journal == nil { journal = try? place.open() }
        guard let journal else { return [] }
        for number in 0..<7 as Range<Int64> {
            let commit = try step(number, place, journal)
            while kind({ try journal.commit(commit) }) != nil {
                while !journal.isOpen { _ = try? journal.reopen(now: LogFixture.noon) }
                #expect(journal.numbers.lastInput == number * 3, "\(what), step \(number)")
                let first = journal.numbers.inputsBase + 1
                let whole = number * 3 < first ? Content() : Content.whole(first...(number * 3))
                #expect(try Content(journal.entries(.inputs, after: 0)) == whole, "\(what), step \(number)")
            }
        }
        var shown: [String]?
        while shown == nil { shown = try? picture(journal) }
        journal.close()
        return shown ?? []
    }

    private static func expected(_ engine: Engine) throws -> [String] {
        try live(engine.make(), "\(engine) without faults")
    }

    @Test func `both engines show the same`() throws {
        let shown = try Self.expected(.sqlite)
        #expect(try shown == Self.expected(.postgres))
        #expect(shown[0] == "35 21 10 6")
    }

    @Test(arguments: [PostgresProxy.Fault.before, .after])
    func `whichever message to PostgreSQL is lost, nothing is half done`(_ fault: PostgresProxy.Fault) throws {
        let expected = try Self.expected(.postgres)
        var message = fault == .before ? 1 - Self.stride : 0
        var isOver = false
        while !isOver {
            message += Self.stride
            let place = try PostgresPlace { server in
                let proxy = try PostgresProxy(to: server)
                proxy.plan(fault, atMessage: message)
                return proxy
            }
            #expect(try Self.live(place, "message \(message)") == expected, "message \(message)")
            isOver = place.proxy?.cancel() ?? true
            if !isOver { #expect(try Self.picture(place.open()) == expected, "message \(message)") }
        }
        #expect(message > 60)
    }

    @Test(arguments: [EIO, ENOSPC])
    func `whichever call to the disk fails, nothing is half done`(_ error: Int32) throws {
        let folder = TemporaryFolder()
        let root = folder.file("states")
        try FileStore.makeDirectory(root)
        let disk = try FaultyDisk(root: root, in: folder)
        var environment = ProcessEnvironment.current
        for (name, value) in disk.environment { environment[name] = value }
        environment[Self.variable] = "\(error) \(root)"
        let program = try #require(realpath("/proc/self/exe", nil).map { String(cString: $0) })
        let run = ChildProcess.run(
            program, ["--testing-library", "swift-testing", "--filter", "JournalContractFaultTests.*every"],
            environment: environment)
        #expect(run.status == 0, "\(run.output)")
        let steps = run.output.split(separator: "\n").first { $0.hasPrefix("calls: ") }
        let calls = steps.flatMap { Int($0.dropFirst("calls: ".count)) }
        #expect(try #require(calls) > 60, "\(run.output)")
    }

    /// The other process of the test above.
    @Test(.enabled(if: ProcessEnvironment.current[variable] != nil))
    func `every call fails once`() throws {
        let words = try #require(ProcessEnvironment.current[Self.variable]).split(separator: " ", maxSplits: 1)
        let error = try #require(Int32(words[0]))
        let expected = try Self.expected(.sqlite)
        var call = 0
        var isArmed = false
        while !isArmed {
            call += 1
            let directory = "\(words[1])/\(call)"
            #expect(FaultyDisk.arm(call: call, error: error))
            #expect(try Self.live(SQLitePlace(directory: directory), "call \(call)") == expected, "call \(call)")
            isArmed = FaultyDisk.isArmed
            #expect(FaultyDisk.arm(call: 0, error: 0))
            #expect(try Self.picture(SQLitePlace(directory: directory).open()) == expected, "call \(call)")
        }
        print("calls: \(call)")
    }
}
