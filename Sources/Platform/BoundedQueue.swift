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
    }

    /// The most elements that wait at one time.
    package let capacity: Int
    private let monitor: Monitor<State>

    package init(capacity: Int) {
        precondition(capacity > 0, "a queue holds at least one element")
        self.capacity = capacity
        monitor = Monitor(State())
    }

    /// How many elements wait now.
    package var count: Int { monitor.withLock { $0.elements.count } }

    /// Puts an element at the end, or says why not.
    package func offer(_ element: Element) -> Offer {
        monitor.change { state in
            if state.isClosed { return .closed }
            if state.elements.count >= capacity { return .full }
            state.elements.append(element)
            return .accepted
        }
    }

    /// Waits for elements and moves all of them into `batch`, which is emptied first.
    package func drain(into batch: inout [Element], until deadline: MonotonicTime?) -> Wait {
        batch.removeAll(keepingCapacity: true)
        var taken: [Element] = []
        swap(&taken, &batch)
        let result = monitor.wait(until: deadline) { state -> Wait? in
            if !state.elements.isEmpty {
                swap(&taken, &state.elements)
                state.isWoken = false
                return .drained
            }
            if state.isWoken {
                state.isWoken = false
                return .idle
            }
            return state.isClosed ? .finished : nil
        }
        swap(&taken, &batch)
        return result ?? .idle
    }

    /// Ends the current or the next wait of the consumer early.
    package func wake() { monitor.change { $0.isWoken = true } }

    /// Refuses what is offered from now on; what is queued can still be drained.
    package func close() { monitor.change { $0.isClosed = true } }
}
