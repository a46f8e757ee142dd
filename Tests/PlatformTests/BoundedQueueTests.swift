import Platform
import Testing

@Suite struct BoundedQueueTests {
    @Test func `a full queue refuses and changes nothing`() {
        let queue = BoundedQueue<Int>(capacity: 2)
        #expect(queue.offer(1) == .accepted)
        #expect(queue.offer(2) == .accepted)
        #expect(queue.offer(3) == .full)
        var batch: [Int] = []
        #expect(queue.drain(into: &batch, until: nil) == .drained)
        #expect(batch == [1, 2])
        #expect(queue.offer(4) == .accepted)
    }

    @Test func `a closed queue refuses, gives out what it holds, and then is finished`() {
        let queue = BoundedQueue<Int>(capacity: 2)
        _ = queue.offer(1)
        queue.close()
        #expect(queue.offer(2) == .closed)
        var batch: [Int] = [9]
        #expect(queue.drain(into: &batch, until: nil) == .drained)
        #expect(batch == [1])
        #expect(queue.drain(into: &batch, until: nil) == .finished)
        #expect(batch.isEmpty)
    }

    @Test func `a wait ends at its deadline`() {
        let time = SystemTime()
        var batch: [Int] = []
        let start = time.monotonic()
        #expect(BoundedQueue<Int>(capacity: 1).drain(into: &batch, until: start + .milliseconds(20)) == .idle)
        #expect(time.monotonic().since(start) >= .milliseconds(20))
    }

    @Test func `waking ends one wait early`() {
        let queue = BoundedQueue<Int>(capacity: 1)
        let waker = NamedThread(name: "waker") { queue.wake() }
        var batch: [Int] = []
        #expect(queue.drain(into: &batch, until: nil) == .idle)
        waker.join()
    }

    @Test func `a queue that is half full does not wait for company`() {
        let queue = BoundedQueue<Int>(capacity: 8)
        let producer = NamedThread(name: "producer") { for number in 0..<4 { _ = queue.offer(number) } }
        var batch: [Int] = []
        // The time is far longer than any test, so only the elements can end the wait.
        #expect(queue.drain(into: &batch, until: nil, gathering: .seconds(3_600)) == .drained)
        #expect(batch == [0, 1, 2, 3])
        producer.join()
    }

    @Test func `a lone element waits for company no longer than it is told`() {
        let time = SystemTime()
        let queue = BoundedQueue<Int>(capacity: 8)
        _ = queue.offer(1)
        var batch: [Int] = []
        let start = time.monotonic()
        #expect(queue.drain(into: &batch, until: nil, gathering: .milliseconds(20)) == .drained)
        #expect(time.monotonic().since(start) >= .milliseconds(20))
        #expect(batch == [1])
    }

    @Test(arguments: [true, false])
    func `waking and closing end a wait for company`(closes: Bool) {
        let queue = BoundedQueue<Int>(capacity: 8)
        _ = queue.offer(1)
        let other = NamedThread(name: "other") { if closes { queue.close() } else { queue.wake() } }
        var batch: [Int] = []
        #expect(queue.drain(into: &batch, until: nil, gathering: .seconds(3_600)) == .drained)
        #expect(batch == [1])
        other.join()
    }

    @Test func `everything several threads offer arrives once and in each thread's order`() {
        let queue = BoundedQueue<(thread: Int, number: Int)>(capacity: 64)
        let producers = (0..<3).map { thread in
            NamedThread(name: "producer") {
                for number in 0..<5_000 { while queue.offer((thread, number)) != .accepted {} }
            }
        }
        var next = [0, 0, 0]
        var batch: [(thread: Int, number: Int)] = []
        while next != [5_000, 5_000, 5_000] {
            _ = queue.drain(into: &batch, until: nil)
            #expect(batch.count <= 64)
            for item in batch {
                #expect(item.number == next[item.thread])
                next[item.thread] += 1
            }
        }
        for producer in producers { producer.join() }
    }
}
