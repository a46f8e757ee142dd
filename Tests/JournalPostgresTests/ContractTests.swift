import Journal
import Platform
import TestSupport
import Testing
import Wire

/// The law of the journal, for every engine.
@Suite struct JournalContractTests {
    private func inputs(_ numbers: ClosedRange<Int64>) -> Commit {
        var commit = Commit()
        LogFixture.append(numbers, to: &commit.inputs)
        return commit
    }

    private func row(_ sequence: Int64, _ text: String = "row") -> OutboxRow {
        OutboxRow(sequence: sequence, bytes: Array("\(text) \(sequence)".utf8))
    }

    @Test(arguments: Engine.allCases)
    func `a journal is new until something is committed, and keeps its id`(_ engine: Engine) throws {
        let place = try engine.make()
        var journal = try place.open()
        #expect(journal.opening.isNew && !journal.opening.mayHaveLost && journal.opening.notes.isEmpty)
        #expect(journal.isOpen && journal.numbers.id.utf8.count == 32 && journal.numbers.isPristine)
        #expect(try journal.size_bytes() >= 0 && journal.rowExtent() == nil)
        #expect(try journal.shipped().elements.isEmpty && journal.forEachSegment { _ in } == 0)
        #expect(try journal.loadSnapshots(now: LogFixture.noon) == LoadedSnapshots())
        let id = journal.numbers.id
        journal.close()
        journal = try place.open()
        #expect(journal.opening.isNew && journal.numbers.id == id)
        try journal.commit(inputs(1...1))
        journal.close()
        #expect(try !journal.reopen(now: LogFixture.noon).isNew)
        journal.close()
        journal = try place.open()
        #expect(!journal.opening.isNew && journal.numbers.id == id)
        #expect(try journal.reopen(now: LogFixture.noon) == Opening(), "reopening what is open does nothing")
        #expect(engine == .postgres ? journal.isShared && !journal.sendsLateReadings : !journal.isShared)
    }

    @Test(arguments: Engine.allCases)
    func `entries are read again in order, from any number on`(_ engine: Engine) throws {
        let place = try engine.make()
        var journal = try place.open()
        for (events, inputs) in [(1...10, 1...2), (11...11, 3...9), (12...300, 10...700)]
            as [(ClosedRange<Int64>, ClosedRange<Int64>)]
        {
            var commit = self.inputs(inputs)
            try place.add(events, to: &commit)
            try journal.commit(commit)
            #expect(journal.numbers.lastEvent == events.upperBound && journal.numbers.lastInput == inputs.upperBound)
        }
        for _ in 0..<2 {
            for after in [0, 1, 5, 9, 10, 11, 12, 299] as [Int64] {
                #expect(try Content(journal.entries(.events, after: after)) == .whole((after + 1)...300))
                #expect(try Content(journal.entries(.inputs, after: after)) == .whole((after + 1)...700))
            }
            #expect(try Content(journal.entries(.events, after: 300)) == Content())
            #expect(try Content(journal.entries(.inputs, after: 9_999)) == Content())
            journal.close()
            journal = try place.open()
        }
    }

    @Test(arguments: Engine.allCases)
    func `events and inputs are read in turns, with their rules`(_ engine: Engine) throws {
        let place = try engine.make()
        let journal = try place.open()
        var commit = Commit(rules: 3)
        LogFixture.append(1...2, to: &commit.inputs)
        try place.add(1...3, to: &commit)
        try journal.commit(commit)
        var events = journal.entries(.events, after: 0)
        var inputs = journal.entries(.inputs, after: 0)
        var order: [String] = []
        for isEvent in [true, false, true, false, true] {
            let step = isEvent ? try events.next() : try inputs.next()
            guard case .entry(let number, _) = step else { continue }
            order.append("\(isEvent ? "event" : "input") \(number)")
        }
        #expect(order == ["event 1", "input 1", "event 2", "input 2", "event 3"])
        #expect(try events.next() == nil && inputs.next() == nil && inputs.rules == 3)
    }

    @Test(arguments: Engine.allCases)
    func `numbers that do not follow are refused and nothing is written`(_ engine: Engine) throws {
        let place = try engine.make()
        let journal = try place.open()
        defer { withExtendedLifetime(place) {} }
        try journal.commit(inputs(1...3))
        for wrong in [3...4, 5...6, 1...1] as [ClosedRange<Int64>] {
            var commit = inputs(wrong)
            commit.rowsAppliedUpTo = 9
            #expect(kind { try journal.commit(commit) } == .other)
        }
        #expect(journal.numbers.lastInput == 3 && journal.numbers.rowsApplied == 0)
        try journal.commit(inputs(4...4))
        try journal.commit(Commit())
        #expect(try Content(journal.entries(.inputs, after: 0)) == .whole(1...4))
    }

    @Test(arguments: Engine.allCases)
    func `truncated entries are gone and the numbers go on`(_ engine: Engine) throws {
        let place = try engine.make()
        var journal = try place.open()
        for numbers in [1...10, 11...20] as [ClosedRange<Int64>] {
            var commit = inputs(numbers)
            try place.add(numbers, to: &commit)
            try journal.commit(commit)
        }
        var commit = Commit()
        commit.truncation = Truncation(events: 15, inputs: 20)
        try journal.commit(commit)
        for _ in 0..<2 {
            #expect(journal.numbers.eventsBase == 15 && journal.numbers.inputsBase == 20)
            #expect(journal.numbers.lastEvent == 20 && journal.numbers.lastInput == 20)
            #expect(try Content(journal.entries(.events, after: 0)) == .whole(16...20))
            #expect(try Content(journal.entries(.inputs, after: 0)) == Content())
            journal.close()
            journal = try place.open()
        }
        try journal.commit(inputs(21...22))
        #expect(try Content(journal.entries(.inputs, after: 0)) == .whole(21...22))
    }

    @Test(arguments: Engine.allCases)
    func `truncation beyond the end moves the numbering on`(_ engine: Engine) throws {
        let place = try engine.make()
        let journal = try place.open()
        var commit = Commit()
        commit.truncation = Truncation(events: 1_000, inputs: 50)
        LogFixture.append(51...52, to: &commit.inputs)
        try journal.commit(commit)
        commit = Commit()
        try place.add(1_001...1_002, to: &commit)
        try journal.commit(commit)
        #expect(journal.numbers.lastEvent == 1_002 && journal.numbers.lastInput == 52)
        journal.close()
        let again = try place.open()
        #expect(again.numbers.lastEvent == 1_002 && again.numbers.lastInput == 52)
        #expect(try Content(again.entries(.events, after: 0)) == .whole(1_001...1_002))
        #expect(try Content(again.entries(.inputs, after: 0)) == .whole(51...52))
    }

    @Test(arguments: Engine.allCases)
    func `rows wait in the outbox until they are applied, and the last one with a number counts`(
        _ engine: Engine
    ) throws {
        let place = try engine.make()
        var journal = try place.open()
        var commit = Commit()
        commit.outboxRows = (1...2_500).map { row($0) } + [row(7, "better"), OutboxRow(sequence: 9, bytes: [])]
        try journal.commit(commit)
        commit = Commit()
        commit.outboxRows = [row(2_600), row(3, "later")]
        commit.rowsAppliedUpTo = 2
        commit.inputAppliedUpTo = 5
        try journal.commit(commit)
        for _ in 0..<2 {
            let extent = try #require(try journal.rowExtent())
            #expect(extent.oldest == 3 && extent.newest == 2_600)
            #expect(journal.numbers.rowsApplied == 2 && journal.numbers.inputApplied == 5)
            let all = try journal.rows(after: 0, limit: 9_999)
            #expect(all.elements.map(\.sequence) == Array(3...2_500) + [2_600] && all.damaged == 0)
            #expect(try journal.rows(after: 3, limit: 4).elements == [row(4), row(5), row(6), row(7, "better")])
            #expect(all.elements[0] == row(3, "later") && all.elements[6].bytes == [])
            journal.close()
            journal = try place.open()
        }
        commit = Commit()
        commit.rowsAppliedUpTo = 9_999
        try journal.commit(commit)
        #expect(try journal.rowExtent() == nil && journal.rows(after: 0, limit: 1).elements.isEmpty)
    }

    @Test(arguments: Engine.allCases)
    func `large rows are read in portions, and all of them`(_ engine: Engine) throws {
        let place = try engine.make()
        let journal = try place.open()
        defer { withExtendedLifetime(place) {} }
        var commit = Commit()
        commit.outboxRows = (1...12).map {
            OutboxRow(sequence: $0, bytes: [UInt8](repeating: UInt8($0), count: 400_000))
        }
        try journal.commit(commit)
        #expect(try journal.rows(after: 0, limit: 11).elements == Array(commit.outboxRows.prefix(11)))
    }

    @Test(arguments: Engine.allCases)
    func `single values are kept`(_ engine: Engine) throws {
        let place = try engine.make()
        var journal = try place.open()
        var commit = Commit()
        commit.lineage = "linéage\0of rows"
        commit.readingSent = LogFixture.noon
        commit.pushedLabels = "a=\"b\""
        commit.unjournaledAfter = 4
        try journal.commit(commit)
        for _ in 0..<2 {
            let numbers = journal.numbers
            #expect(numbers.lineage == "linéage\0of rows" && numbers.lastReading == LogFixture.noon)
            #expect(numbers.pushedLabels == "a=\"b\"" && numbers.unjournaledAfter == 4 && !numbers.hasLost)
            journal.close()
            journal = try place.open()
        }
        commit = Commit()
        commit.readingSent = LogFixture.noon + .seconds(15)
        try journal.commit(commit)
        #expect(journal.numbers.lastReading == LogFixture.noon + .seconds(15))
        #expect(journal.numbers.lineage == "linéage\0of rows")
    }

    @Test(arguments: Engine.allCases)
    func `series begin and end, and all end where the shared labels change`(_ engine: Engine) throws {
        let place = try engine.make()
        let journal = try place.open()
        let long = [UInt8](repeating: 0, count: 20_000)
        var commit = Commit()
        commit.pushedLabels = "one"
        commit.seriesBegan = [[1], [2], [3], long, [2]] + (0..<2_000).map { Array("series \($0)".utf8) }
        try journal.commit(commit)
        #expect(try journal.shipped().elements.count == 2_004)
        commit = Commit()
        commit.seriesEnded = [[1], long, [99]]
        commit.seriesBegan = [[1], [4]]
        try journal.commit(commit)
        var found = Set(try journal.shipped().elements)
        #expect(found.count == 2_004 && found.isSuperset(of: [[1], [2], [3], [4]]) && !found.contains(long))
        commit = Commit()
        commit.pushedLabels = "one"
        commit.seriesBegan = [[5]]
        try journal.commit(commit)
        #expect(try journal.shipped().elements.count == 2_005)
        commit.pushedLabels = "two"
        try journal.commit(commit)
        journal.close()
        let again = try place.open()
        found = Set(try again.shipped().elements)
        #expect(found == [[5]] && again.numbers.pushedLabels == "two")
    }

    @Test(arguments: Engine.allCases)
    func `id segments come in the order of their commits, and expire`(_ engine: Engine) throws {
        let place = try engine.make()
        let journal = try place.open()
        func segment(_ snapshot: Int64, _ kind: Int, _ seconds: Int64) -> JournalIDSegment {
            JournalIDSegment(
                snapshot: snapshot, kind: kind, latest: LogFixture.noon + .seconds(seconds),
                bytes: Array("\(snapshot) \(kind)".utf8))
        }
        let all = [segment(1, 1, 1), segment(1, 2, 1), segment(2, 1, 2), segment(3, 1, 3), segment(3, 2, 3)]
        var commit = Commit()
        commit.ids = Array(all[..<3])
        try journal.commit(commit)
        commit.ids = Array(all[3...])
        try journal.commit(commit)
        func found(_ journal: any StateJournal) throws -> [JournalIDSegment] {
            var found: [JournalIDSegment] = []
            #expect(try journal.forEachSegment { found.append($0) } == 0)
            return found
        }
        #expect(try found(journal) == all)
        commit = Commit()
        commit.truncation = Truncation()
        commit.truncation?.expiredIDs = [Truncation.Expiry(kind: 1, latest: LogFixture.noon + .seconds(2))]
        try journal.commit(commit)
        #expect(try found(journal) == [all[1], all[3], all[4]])
        commit.truncation?.idsAboveSnapshot = 2
        try journal.commit(commit)
        journal.close()
        #expect(try found(place.open()) == [all[1]])
    }

    @Test(arguments: Engine.allCases)
    func `dead letters are counted, and the oldest make room`(_ engine: Engine) throws {
        let place = try engine.make()
        let journal = try place.open()
        var commit = Commit()
        commit.deadLetters = (1...3).map {
            DeadLetter(sequence: $0, at: LogFixture.noon, reason: "réason\0", row: "row \($0)")
        }
        try journal.commit(commit)
        try journal.commit(commit)
        #expect(journal.numbers.deadLetterCount == 3 && journal.numbers.deadLettersDropped == 0)
        commit.deadLetters = (1...Int64(Commit.Limits.deadLetters)).map {
            DeadLetter(sequence: 10 + $0, at: LogFixture.noon, reason: "", row: "")
        }
        try journal.commit(commit)
        #expect(journal.numbers.deadLetterCount == Commit.Limits.deadLetters)
        #expect(journal.numbers.deadLettersDropped == 3)
        journal.close()
        let again = try place.open()
        #expect(again.numbers.deadLetterCount == Commit.Limits.deadLetters && again.numbers.deadLettersDropped == 3)
    }

    @Test(arguments: [Engine.postgres])
    func `a loss is told until a snapshot covers it`(_ engine: Engine) throws {
        let place = try #require(try engine.make() as? PostgresPlace)
        var journal = try place.open()
        try journal.commit(inputs(1...1))
        journal.close()
        journal = try place.open(hasLost: true)
        #expect(journal.opening.mayHaveLost && journal.opening.isNew && journal.numbers.hasLost)
        journal.close()
        journal = try place.open()
        #expect(journal.opening.mayHaveLost && journal.opening.notes.count == 1)
        var commit = Commit()
        commit.coversLoss = true
        try journal.commit(commit)
        journal.close()
        journal = try place.open()
        #expect(!journal.opening.mayHaveLost && !journal.opening.isNew && !journal.numbers.hasLost)
    }

    @Test(arguments: Engine.allCases)
    func `a journal that is closed refuses commits until it is opened again`(_ engine: Engine) throws {
        let place = try engine.make()
        let journal = try place.open()
        defer { withExtendedLifetime(place) {} }
        try journal.commit(inputs(1...3))
        journal.close()
        #expect(!journal.isOpen && kind { try journal.commit(inputs(4...4)) } == .other)
        #expect(try !journal.reopen(now: LogFixture.noon).isNew && journal.isOpen)
        try journal.commit(inputs(4...4))
        #expect(try Content(journal.entries(.inputs, after: 0)) == .whole(1...4))
    }

    // MARK: Snapshots

    private func header(_ number: Int64, _ journal: any StateJournal) -> SnapshotHeader {
        SnapshotHeader(
            journalID: journal.numbers.id, number: number, eventsApplied: number * 10, inputsApplied: number,
            rowsEmitted: number * 2, takenAt: LogFixture.noon, isCleanStop: number == 2)
    }

    private func body(_ number: Int64) -> [UInt8] {
        [UInt8](repeating: UInt8(number), count: number == 1 ? 0 : 2_500_000)
    }

    @Test(arguments: Engine.allCases)
    func `the two newest snapshots are kept, whole`(_ engine: Engine) throws {
        let place = try engine.make()
        let journal = try place.open()
        for number in 1...4 as ClosedRange<Int64> {
            try journal.snapshotWriter.save(header(number, journal), body(number))
            let found = try journal.loadSnapshots(now: LogFixture.noon)
            #expect(found.newest == Snapshot(header: header(number, journal), body: body(number)))
            #expect(found.older == (number == 1 ? nil : header(number - 1, journal)))
            #expect(found.highestNumber == number && found.notes.isEmpty)
        }
    }

    @Test(arguments: Engine.allCases, Damage.allCases)
    func `a damaged snapshot is set aside, and the other one is used`(_ engine: Engine, _ part: Damage) throws {
        let place = try engine.make()
        var journal = try place.open()
        for number in 1...3 as ClosedRange<Int64> {
            try journal.snapshotWriter.save(header(number, journal), body(number))
        }
        try place.damage(part)
        let found = try journal.loadSnapshots(now: LogFixture.noon)
        #expect(found.newest?.header.number == (part == .newestSnapshot ? 2 : 3) && found.older == nil)
        #expect(found.damaged.count == 1 && found.notes.count == 1 && found.highestNumber == 3)
        journal.close()
        journal = try place.open()
        let again = try journal.loadSnapshots(now: LogFixture.noon)
        #expect(again.newest == found.newest && again.damaged.isEmpty && again.notes.isEmpty)
    }

    @Test(arguments: Engine.allCases)
    func `a snapshot of a newer program or one that cannot be restored is set aside`(_ engine: Engine) throws {
        let place = try engine.make()
        var journal = try place.open(format: 1)
        try journal.snapshotWriter.save(header(1, journal), body(1))
        journal.close()
        journal = try place.open(format: 2)
        try journal.snapshotWriter.save(header(2, journal), body(2))
        journal.close()
        journal = try place.open(format: 1)
        var found = try journal.loadSnapshots(now: LogFixture.noon)
        #expect(found.newest?.header.number == 1 && found.ofNewerProgram.count == 1 && found.highestNumber == 2)
        #expect(found.damaged.isEmpty && found.notes.count == 1)
        try journal.moveAsideSnapshot(1, now: LogFixture.noon)
        found = try journal.loadSnapshots(now: LogFixture.noon)
        #expect(found.newest == nil && found.older == nil)
        try journal.snapshotWriter.save(header(3, journal), body(3))
        #expect(try journal.loadSnapshots(now: LogFixture.noon).newest?.header.number == 3)
    }
}
