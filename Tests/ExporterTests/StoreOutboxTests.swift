import Storage
import Testing

@testable import Exporter

@Suite struct StoreOutboxTests {
    private func row(_ number: Int) -> StoreRow { .absent(participantSID: "\(number)") }

    @Test func `rows leave in order, in batches, with numbers that have no gaps`() {
        var outbox = StoreOutbox(capacity: 10)
        for number in 1...5 { _ = outbox.append(row(number)) }
        var taken: [StoreRow] = []
        var sequences: [Int64] = []
        while outbox.take(limit: 2) {
            taken += outbox.batch
            sequences.append(outbox.batchSequence)
            _ = outbox.applied()
        }
        #expect(taken == (1...5).map(row))
        #expect(sequences == [1, 3, 5])
        #expect(outbox.isEmpty)
    }

    @Test func `a batch stays the same until it is applied`() {
        var outbox = StoreOutbox(capacity: 10)
        _ = outbox.append(row(1))
        _ = outbox.take(limit: 5)
        _ = outbox.append(row(2))
        _ = outbox.take(limit: 5)
        #expect(outbox.batch == [row(1)] && outbox.batchSequence == 1)
        #expect(outbox.count == 2)
    }

    @Test func `a full outbox gives up the oldest row that is not on its way`() {
        var outbox = StoreOutbox(capacity: 2)
        _ = outbox.append(row(1))
        _ = outbox.take(limit: 1)
        var givenUp: [Int] = []
        for number in 2...5 { givenUp.append(outbox.append(row(number))) }
        #expect(givenUp == [0, 0, 1, 1])
        #expect(outbox.count == 3)
        _ = outbox.applied()
        _ = outbox.take(limit: 5)
        #expect(outbox.batch == [row(4), row(5)])
        #expect(outbox.batchSequence == 4)
    }

    @Test func `many rows through a small outbox keep their order`() {
        var outbox = StoreOutbox(capacity: 1_000)
        var next = 0
        var seen = 0
        for round in 0..<2_000 {
            for _ in 0..<(round % 7) {
                _ = outbox.append(row(next))
                next += 1
            }
            if outbox.take(limit: 5) {
                for taken in outbox.batch {
                    #expect(taken == row(seen))
                    seen += 1
                }
                _ = outbox.applied()
            }
        }
        #expect(seen + outbox.count == next)
    }
}
