/// A bounded first-in, first-out queue between threads. It never blocks a producer.
///
/// Any thread may offer; one thread drains. Draining swaps two arrays that are kept for the life of the queue, so a
/// warm queue does not allocate.
package final class BoundedQueue<Element: Sendable>: Sendable {
    /// The result of an offer.
    package enum Offer: Sendable, Equatable {
        /// The element is in the queue.
        case accepted
        /// The queue holds `capacity` elements. Nothing was changed.
        case full
        /// The queue was closed. Nothing was changed.
        case closed
    }

    /// The result of a wait.
    package enum Wait: Sendable, Equatable {
        /// `batch` holds at least one element.
        case drained
        /// The deadline passed or `wake` was called. `batch` is empty.
        case idle
        /// The queue is closed and empty: no element will follow.
        case finished
    }

    private struct State {
        var elements: [Element] = []
        var isClosed = false
        var isWoken = false
        /// The wait of the consumer ends at this number of elements. It is `Int.max` while the consumer does not wait.
        var awaited = Int.max

        /// True if the consumer must be woken now.
        var isDue: Bool { elements.count >= awaited }
    }

    /// The largest number of elements that the queue holds.
    package let capacity: Int
    private let monitor: Monitor<State>

    package init(capacity: Int) {
        precondition(capacity > 0, "a queue holds at least one element")
        self.capacity = capacity
        monitor = Monitor(State())
    }

    /// Appends an element, or returns the reason why it did not.
    package func offer(_ element: Element) -> Offer {
        var offer = Offer.accepted
        monitor.changeWakingIfNeeded { state in
            if state.isClosed {
                offer = .closed
            } else if state.elements.count >= capacity {
                offer = .full
            } else {
                state.elements.append(element)
                return state.isDue
            }
            return false
        }
        return offer
    }

    /// Appends elements in order: all of them, or none and the reason.
    package func offer(contentsOf elements: [Element]) -> Offer {
        var offer = Offer.accepted
        monitor.changeWakingIfNeeded { state in
            if state.isClosed {
                offer = .closed
            } else if state.elements.count + elements.count > capacity {
                offer = .full
            } else {
                state.elements.append(contentsOf: elements)
                return state.isDue
            }
            return false
        }
        return offer
    }

    /// Waits for elements and moves all of them into `batch`, which is emptied first.
    ///
    /// - Parameter gathering: the time for which the first element waits for more. The wait ends early when the queue
    ///   is half full. A wake-up costs more than most elements, so a consumer that is in no hurry is woken once for
    ///   many elements.
    package func drain(
        into batch: inout [Element], until deadline: MonotonicTime?, gathering: Duration = .zero
    ) -> Wait {
        batch.removeAll(keepingCapacity: true)
        var taken: [Element] = []
        swap(&taken, &batch)
        defer { swap(&taken, &batch) }
        let found = monitor.wait(until: deadline) { state -> Wait? in
            if !state.elements.isEmpty { return .drained }
            if state.isWoken { return .idle }
            if state.isClosed { return .finished }
            state.awaited = 1
            return nil
        }
        if found == .drained && gathering > .zero {
            let end = SystemTime().monotonic() + gathering
            _ = monitor.wait(until: end) { [most = max(1, capacity / 2)] state -> Void? in
                state.awaited = most
                return state.isDue || state.isClosed || state.isWoken ? () : nil
            }
        }
        return monitor.withLock { state in
            state.awaited = .max
            state.isWoken = false
            if state.elements.isEmpty { return found ?? .idle }
            swap(&taken, &state.elements)
            return .drained
        }
    }

    /// Ends the current wait of the consumer early, or its next one.
    package func wake() { monitor.change { $0.isWoken = true } }

    /// Refuses every later offer. Elements that are in the queue can still be drained.
    package func close() { monitor.change { $0.isClosed = true } }
}
