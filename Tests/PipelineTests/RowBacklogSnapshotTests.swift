import Storage
import Testing
import Wire

@testable import Pipeline

@Suite struct RowBacklogSnapshotTests {
    private func row(_ number: Int64) -> NumberedRow {
        NumberedRow(number: number, row: .absent(participantSID: "\(number)"))
    }

    @Test func `rows that are on disk with a snapshot are durable in memory`() {
        var backlog = RowBacklog(hasDisk: true, lastNumber: 7, onDisk: nil)
        for row in [row(8), row(9)] { #expect(backlog.add(row, inMemory: 0, isOnDisk: true) == true) }
        #expect(backlog.durableUpTo == 9 && backlog.unloaded == 0)
    }

    @Test func `rows that are on disk already are read from there and not written again`() {
        var backlog = RowBacklog(hasDisk: true, lastNumber: 7, onDisk: nil)
        #expect(backlog.add(row(8), inMemory: RowBacklog.Limits.memory, isOnDisk: true) == false)
        #expect(backlog.pending.isEmpty)
        #expect(backlog.hasRowsToRead)
    }

    @Test func `rows that are not on disk wait to be written`() {
        var backlog = RowBacklog(hasDisk: true, lastNumber: 7, onDisk: nil)
        #expect(backlog.add(row(8), inMemory: RowBacklog.Limits.memory) == false)
        #expect(backlog.pending.count == 1)
        #expect(!backlog.hasRowsToRead)
    }
}
