import Storage
import Testing

@testable import Pipeline

@Suite struct RowBufferTests {
    private func row(_ number: Int) -> StoreRow { .absent(participantSID: "\(number)") }
    private func numbered(_ number: Int) -> NumberedRow { NumberedRow(number: Int64(number), row: row(number)) }

    @Test func `rows leave in order, in batches, with numbers that have no gaps`() {
        var buffer = RowBuffer(capacity: 10)
        for number in 1...5 { _ = buffer.append(numbered(number)) }
        var taken: [StoreRow] = []
        var sequences: [Int64] = []
        while buffer.take(limit: 2) {
            taken += buffer.batch
            sequences.append(buffer.batchSequence)
            _ = buffer.applied()
        }
        #expect(taken == (1...5).map(row))
        #expect(sequences == [1, 3, 5])
        #expect(buffer.isEmpty)
    }

    @Test func `a batch stays the same until it is applied`() {
        var buffer = RowBuffer(capacity: 10)
        _ = buffer.append(numbered(1))
        _ = buffer.take(limit: 5)
        _ = buffer.append(numbered(2))
        _ = buffer.take(limit: 5)
        #expect(buffer.batch == [row(1)] && buffer.batchSequence == 1)
        #expect(buffer.count == 2)
    }

    @Test func `a full buffer gives up the oldest row that is not on its way`() {
        var buffer = RowBuffer(capacity: 2)
        _ = buffer.append(numbered(1))
        _ = buffer.take(limit: 1)
        var givenUp: [Int] = []
        for number in 2...5 { givenUp.append(buffer.append(numbered(number))) }
        #expect(givenUp == [0, 0, 1, 1])
        #expect(buffer.count == 3)
        _ = buffer.applied()
        _ = buffer.take(limit: 5)
        #expect(buffer.batch == [row(4), row(5)])
        #expect(buffer.batchSequence == 4)
    }

    @Test func `many rows through a small buffer keep their order`() {
        var buffer = RowBuffer(capacity: 1_000)
        var next = 0
        var seen = 0
        for round in 0..<2_000 {
            for _ in 0..<(round % 7) {
                next += 1
                _ = buffer.append(numbered(next))
            }
            if buffer.take(limit: 5) {
                for taken in buffer.batch {
                    seen += 1
                    #expect(taken == row(seen))
                }
                _ = buffer.applied()
            }
        }
        #expect(seen + buffer.count == next)
    }
}
