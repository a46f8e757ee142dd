import Storage
import TestSupport
import Testing
import Wire

@testable import Pipeline

/// The backlog as a transcript, and then against a model of memory, disk and database.
@Suite struct RowBacklogTests {
    private func row(_ number: Int64) -> StoreRow { .absent(participantSID: "\(number)") }
    private func numbered(_ number: Int64) -> NumberedRow { NumberedRow(number: number, row: row(number)) }

    @Test func `rows go to memory while there is room, then to disk until those are loaded`() {
        var backlog = RowBacklog(hasDisk: true, lastNumber: 0, onDisk: nil)
        #expect(backlog.add(numbered(1), inMemory: 0) == true)
        #expect(backlog.add(numbered(2), inMemory: RowBacklog.Limits.memory) == false)
        #expect(backlog.add(numbered(3), inMemory: 0) == false)
        #expect(backlog.unloaded == 2 && !backlog.hasRowsToRead)
        backlog.spilled(1)
        #expect(backlog.hasRowsToRead && backlog.takePending(limit: 10).isEmpty)
        backlog.loaded(upTo: 2, isAll: false)
        #expect(backlog.takePending(limit: 10).map(\.number) == [3])
        #expect(backlog.unloaded == 0)
        #expect(backlog.add(numbered(4), inMemory: 0) == true)
    }

    @Test func `without a disk every row goes to memory`() {
        var backlog = RowBacklog(hasDisk: false, lastNumber: 0, onDisk: nil)
        for number in 1...3 as ClosedRange<Int64> {
            #expect(backlog.add(numbered(number), inMemory: RowBacklog.Limits.memory) == true)
        }
    }

    @Test func `rows that a replay made again are not read from disk`() {
        // Rows 51 to 4,000 are on disk, and the replay makes those from 101 on again.
        var backlog = RowBacklog(hasDisk: true, lastNumber: 100, onDisk: 51)
        for number in 101...4_000 as ClosedRange<Int64> { _ = backlog.add(numbered(number), inMemory: 0) }
        #expect(backlog.readUpTo == 100)
        backlog.loaded(upTo: 1_050, isAll: false)
        #expect(backlog.takePending(limit: 10).first?.number == 101)
    }

    @Test func `pending rows beyond the limit are given up, the oldest first, and the backlog goes on after them`() {
        var backlog = RowBacklog(hasDisk: true, lastNumber: 0, onDisk: nil)
        let count = Int64(RowBacklog.Limits.pending) + 5
        for number in 1...count { _ = backlog.add(numbered(number), inMemory: RowBacklog.Limits.memory) }
        #expect(backlog.giveUpPending() == 5)
        #expect(backlog.hasRowsToRead)
        backlog.loaded(upTo: nil, isAll: true)
        #expect(backlog.takePending(limit: 1).first?.number == 6)
    }

    @Test func `what was only on a disk that is gone is counted`() {
        var backlog = RowBacklog(hasDisk: true, lastNumber: 10, onDisk: 8)
        for number in 11...15 as ClosedRange<Int64> { _ = backlog.add(numbered(number), inMemory: 0) }
        backlog.spilled(2)
        #expect(backlog.nothingIsDurable() == 5)
        #expect(backlog.durableUpTo == 0 && backlog.takePending(limit: 9).map(\.number) == [13, 14, 15])
    }

    @Test func `a jump is no row, and higher than every number before`() {
        var backlog = RowBacklog(hasDisk: true, lastNumber: 10, onDisk: 8)
        backlog.jump(beyond: 1 << 40)
        #expect(backlog.unloaded == 3)
        #expect(backlog.add(numbered(1 << 40 + 1), inMemory: 0) == false)
        #expect(backlog.lastNumber == 1 << 40 + 1 && backlog.unloaded == 4)
        backlog.loaded(upTo: 10, isAll: true)
        #expect(backlog.takePending(limit: 5).map(\.number) == [1 << 40 + 1])
        #expect(backlog.unloaded == 0)
        backlog.jump(beyond: 0)
        #expect(backlog.lastNumber > 1 << 40 + 1 << 32)
    }

    // MARK: Model

    /// A model of memory, disk and database around a backlog. It crashes now and then, and then a replay makes rows
    /// again.
    private struct Model {
        var backlog = RowBacklog(hasDisk: true, lastNumber: 0, onDisk: nil)
        var memory: [NumberedRow] = []
        /// The rows on disk by number. The text of a row is its number.
        var disk: [Int64: StoreRow] = [:]
        /// The rows in the database in the order in which they were applied; `mark` is the number of the last one.
        var applied: [StoreRow] = []
        var mark: Int64 = 0
        /// The number of the last row in the last snapshot.
        var saved: Int64 = 0
        var isDiskFull = false
        var givenUp: Set<Int64> = []

        mutating func add(_ row: StoreRow) {
            let numbered = NumberedRow(number: backlog.lastNumber + 1, row: row)
            if backlog.add(numbered, inMemory: memory.count) { memory.append(numbered) }
        }

        mutating func commit(snapshot: Bool) {
            if isDiskFull {
                let first = backlog.pending.first?.number ?? 0
                let lost = backlog.giveUpPending()
                for number in first..<(first + Int64(lost)) { givenUp.insert(number) }
                return
            }
            let count = snapshot ? backlog.pending.count : RowBacklog.Limits.portion
            let pending = Array(backlog.pending.all.prefix(count))
            for row in pending { disk[row.number] = row.row }
            backlog.spilled(pending.count)
            if snapshot {
                for row in memory where row.number > backlog.durableUpTo { disk[row.number] = row.row }
                backlog.memoryIsDurable()
                saved = backlog.lastNumber
            }
            disk = disk.filter { $0.key > mark }
        }

        mutating func load() {
            guard backlog.unloaded > 0, memory.count < RowBacklog.Limits.lowWater else { return }
            if backlog.hasRowsToRead {
                let (after, upTo) = (backlog.loadedUpTo, backlog.readUpTo)
                let found = disk.keys.filter { $0 > after }.sorted().prefix(RowBacklog.Limits.portion)
                let rows = found.filter { $0 <= upTo }
                for number in rows {
                    if let row = disk[number] { memory.append(NumberedRow(number: number, row: row)) }
                }
                backlog.loaded(
                    upTo: rows.last, isAll: found.count < RowBacklog.Limits.portion || rows.last != found.last)
            }
            memory += backlog.takePending(limit: RowBacklog.Limits.portion)
        }

        mutating func write(_ count: Int) {
            for row in memory.prefix(count) where row.number > mark {
                applied.append(row.row)
                mark = row.number
            }
            memory.removeFirst(min(count, memory.count))
        }

        /// Empties the memory, and replays. `made` are all rows that were ever made.
        mutating func crash(_ made: [StoreRow]) {
            memory = []
            let onDisk = disk.keys.min()
            backlog = RowBacklog(hasDisk: true, lastNumber: saved, onDisk: onDisk.flatMap { $0 <= saved ? $0 : nil })
            for row in made.dropFirst(Int(saved)) { add(row) }
        }
    }

    @Test(arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
    func `every row is applied once, in order, or given up and counted`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var model = Model()
        var made: [StoreRow] = []
        for _ in 0..<300 {
            switch Int.random(in: 0..<20, using: &random) {
            case 0..<7:
                for _ in 0..<Int.random(in: 1...600, using: &random) {
                    let new = row(Int64(made.count + 1))
                    made.append(new)
                    model.add(new)
                }
            case 7..<10: model.commit(snapshot: false)
            case 10: model.commit(snapshot: true)
            case 11..<14: model.load()
            case 14..<18: model.write(Int.random(in: 1...900, using: &random))
            case 18: model.isDiskFull.toggle()
            default: if Bool.random(using: &random) { model.crash(made) }
            }
            let numbers = model.memory.map(\.number)
            #expect(numbers == numbers.sorted() && Set(numbers).count == numbers.count)
        }
        model.isDiskFull = false
        while model.backlog.unloaded > 0 || !model.memory.isEmpty {
            model.commit(snapshot: false)
            model.load()
            model.write(1_000)
        }
        // A row that was given up may still have been on disk, and so was applied.
        let expected = made.enumerated().filter { offset, row in
            !model.givenUp.contains(Int64(offset + 1)) || model.applied.contains(row)
        }
        #expect(model.applied == expected.map(\.element))
    }
}
