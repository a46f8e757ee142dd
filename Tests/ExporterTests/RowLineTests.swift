import Storage
import Testing
import Wire

@testable import Exporter

@Suite struct RowLineTests {
    private let row = StoreRow.absent(participantSID: "PA_1")

    @Test func `rows get the numbers that they were foretold`() {
        var line = RowLine(hasDisk: true, lastNumber: 7, onDisk: nil)
        #expect(line.numbered([row, row]).map(\.number) == [8, 9])
        #expect(line.add(row, inMemory: 0)?.number == 8)
        #expect(line.numbered([row]).map(\.number) == [9])
    }

    /// Read from disk and pending, they would arrive twice.
    @Test func `a row that is on disk is read from there and not pending too`() {
        var line = RowLine(hasDisk: true, lastNumber: 0, onDisk: nil)
        #expect(line.add(row, inMemory: RowLine.Limits.memory)?.number == nil)
        line.spilled(1)
        #expect(line.add(row, inMemory: 0, isOnDisk: true)?.number == nil, "behind the one on disk")
        #expect(line.pending.isEmpty && line.hasRowsToRead && line.unloaded == 2)
        line.loaded(upTo: 2, isAll: true)
        #expect(line.takePending(limit: 10).isEmpty)
        #expect(line.unloaded == 0)
    }
}
