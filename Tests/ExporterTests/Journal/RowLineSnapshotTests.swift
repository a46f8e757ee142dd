import Storage
import Testing
import Wire

@testable import Exporter

@Suite struct RowLineSnapshotTests {
    private func row(_ number: Int) -> StoreRow { .absent(participantSID: "\(number)") }

    @Test func `rows that come with a snapshot have their numbers before they are let go`() {
        var line = RowLine(hasDisk: true, lastNumber: 7, onDisk: nil)
        let written = line.numbered([row(1), row(2)].map { PlacedRow(row: $0, position: nil) })
        #expect(written.map(\.number) == [8, 9])
        let released = [row(1), row(2)].compactMap { line.add($0, inMemory: 0, isOnDisk: true) }
        #expect(released.map(\.number) == written.map(\.number))
        #expect(line.durableUpTo == 9 && line.unloaded == 0)
    }

    @Test func `rows that are on disk already are read from there and not written again`() {
        var line = RowLine(hasDisk: true, lastNumber: 7, onDisk: nil)
        #expect(line.add(row(1), inMemory: RowLine.Limits.memory, isOnDisk: true) == nil)
        #expect(line.pending.isEmpty)
        #expect(line.hasRowsToRead)
    }

    @Test func `rows that are not on disk wait to be written`() {
        var line = RowLine(hasDisk: true, lastNumber: 7, onDisk: nil)
        #expect(line.add(row(1), inMemory: RowLine.Limits.memory) == nil)
        #expect(line.pending.count == 1)
        #expect(!line.hasRowsToRead)
    }
}
