/// A priority queue of planned items, the earliest first. Items for the same time come in the order in which they were
/// planned. It is a binary heap.
struct EventSchedule<Item: Sendable>: Sendable {
    private struct Entry: Sendable {
        let at: Int64
        let order: UInt64
        let item: Item

        func isBefore(_ other: Entry) -> Bool { at != other.at ? at < other.at : order < other.order }
    }

    private var heap: [Entry] = []
    private var planned: UInt64 = 0

    /// The time at which the next item is due; nil if there is none.
    var nextAt: Int64? { heap.first?.at }

    mutating func plan(at: Int64, _ item: Item) {
        heap.append(Entry(at: at, order: planned, item: item))
        planned += 1
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].isBefore(heap[parent]) else { return }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    mutating func next() -> (at: Int64, item: Item)? {
        guard let first = heap.first else { return nil }
        let last = heap.removeLast()
        if heap.isEmpty { return (first.at, first.item) }
        heap[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < heap.count && heap[child].isBefore(heap[least]) { least = child }
            if least == parent { return (first.at, first.item) }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
