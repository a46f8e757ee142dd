import Storage
import Testing
import Wire

@testable import Pipeline

@Suite struct RowBacklogSnapshotTests {
    private func row(_ number: Int64) -> NumberedRow {
        NumberedRow(number: number, row: .absent(participantSID: "\(number)"))
    }

    @Test func `rows that are on disk with a snapshot are durable in memory`() {
        var line = RowBacklog(hasDisk: true, lastNumber: 7, onDisk: nil)
        for row in [row(8), row(9)] { #expect(line.add(row, inMemory: 0, isOnDisk: true) == true) }
        #expect(line.durableUpTo == 9 && line.unloaded == 0)
    }

    @Test func `rows that are on disk already are read from there and not written again`() {
        var line = RowBacklog(hasDisk: true, lastNumber: 7, onDisk: nil)
        #expect(line.add(row(8), inMemory: RowBacklog.Limits.memory, isOnDisk: true) == false)
        #expect(line.pending.isEmpty)
        #expect(line.hasRowsToRead)
    }

    @Test func `rows that are not on disk wait to be written`() {
        var line = RowBacklog(hasDisk: true, lastNumber: 7, onDisk: nil)
        #expect(line.add(row(8), inMemory: RowBacklog.Limits.memory) == false)
        #expect(line.pending.count == 1)
        #expect(!line.hasRowsToRead)
    }
}
