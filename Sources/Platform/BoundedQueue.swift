/// A first-in, first-out queue between threads with a fixed bound; a producer is never blocked.
///
/// Any thread may offer; one thread drains. Draining swaps two arrays that live for ever, so a warm queue does not
/// allocate.
package final class BoundedQueue<Element: Sendable>: Sendable {
    /// What became of an offered element.
    package enum Offer: Sendable, Equatable {
        /// It is in the queue.
        case accepted
        /// The queue holds `capacity` elements; nothing was changed.
        case full
        /// The queue was closed; nothing was changed.
        case closed
    }

    /// What a wait ended with.
    package enum Wait: Sendable, Equatable {
        /// `batch` holds at least one element.
        case drained
        /// The deadline passed or `wake` was called; `batch` is empty.
        case idle
        /// The queue is closed and empty: nothing will ever come again.
        case finished
    }

    private struct State {
        var elements: [Element] = []
        var isClosed = false
        var isWoken = false
        /// How many elements end the wait of the consumer; it is `Int.max` while the consumer does not wait.
        var awaited = Int.max

        /// Whether the consumer has to look now.
        var isDue: Bool { elements.count >= awaited }
    }

    /// The most elements that wait at one time.
    package let capacity: Int
    private let monitor: Monitor<State>

    package init(capacity: Int) {
        precondition(capacity > 0, "a queue holds at least one element")
        self.capacity = capacity
        monitor = Monitor(State())
    }

    /// Puts an element at the end, or says why not.
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

    /// Puts elements at the end, in order, or none of them and says why.
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
    /// - Parameter gathering: how long the first element waits for company, unless the queue is half full before. Waking
    ///   a thread costs more than most elements: a consumer that is in no hurry is woken once for many.
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

    /// Ends the current or the next wait of the consumer early.
    package func wake() { monitor.change { $0.isWoken = true } }

    /// Refuses what is offered from now on; what is queued can still be drained.
    package func close() { monitor.change { $0.isClosed = true } }
}
