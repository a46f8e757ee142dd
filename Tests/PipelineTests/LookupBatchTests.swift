import Testing

@testable import Pipeline

@Suite struct LookupBatchTests {
    @Test func `a database that answers at once is asked for more, one that does not for less`() {
        var batch = LookupBatch()
        var sizes = [batch.size]
        func answer(_ count: Int, _ duration: Duration) {
            batch.answered(count, in: duration)
            sizes.append(batch.size)
        }
        for _ in 0..<8 { answer(batch.size, .milliseconds(25)) }
        #expect(sizes == [8, 16, 32, 64, 128, 256, 512, 1_000, 1_000])
        // A fast answer for a few rooms says nothing about many rooms.
        answer(1, .milliseconds(1))
        answer(1_000, .milliseconds(399))
        #expect(batch.size == 1_000)
        sizes = []
        // Each room takes 20 ms.
        for _ in 0..<8 { answer(batch.size, .milliseconds(20 * batch.size)) }
        #expect(sizes == [500, 250, 125, 62, 31, 15, 15, 15])
        answer(3, .seconds(8))
        answer(1, .seconds(8))
        #expect(batch.size == 1)
        answer(1, .milliseconds(10))
        #expect(batch.size == 2)
    }
}
