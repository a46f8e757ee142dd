/// A double-ended queue: adding and removing at either end takes constant time, amortised.
package struct Deque<Element> {
    private var elements: [Element?] = []
    private var head = 0

    package init() {}

    package var count: Int { elements.count - head }
    package var isEmpty: Bool { head == elements.count }
    package var first: Element? { count > 0 ? elements[head] : nil }

    /// All elements, from the first to the last.
    package var all: some Sequence<Element> { elements[head...].lazy.compactMap { $0 } }

    /// Adds an element at the end.
    package mutating func append(_ element: Element) { elements.append(element) }

    /// Adds an element at the front.
    package mutating func prepend(_ element: Element) {
        if head > 0 {
            head -= 1
            elements[head] = element
        } else if elements.isEmpty {
            elements.append(element)
        } else {
            elements.insert(element, at: 0)
        }
    }

    /// Removes and returns the first element; nil if there is none.
    package mutating func popFirst() -> Element? {
        guard count > 0 else { return nil }
        let element = elements[head]
        elements[head] = nil
        head += 1
        if head == elements.count {
            elements.removeAll(keepingCapacity: true)
            head = 0
        } else if head > 64 && head > elements.count / 2 {
            // More than half of the array is used up: moving the rest costs no more than the removals since the last
            // move.
            elements.removeFirst(head)
            head = 0
        }
        return element
    }

    package var last: Element? { count > 0 ? elements[elements.count - 1] : nil }

    /// Removes and returns the last element; nil if there is none.
    package mutating func popLast() -> Element? {
        guard count > 0, let element = elements.removeLast() else { return nil }
        if head == elements.count {
            elements.removeAll(keepingCapacity: true)
            head = 0
        }
        return element
    }

    /// Passes each element to `body`, from the first on, until `body` returns false.
    package mutating func updateEach(_ body: (inout Element) -> Bool) {
        for index in head..<elements.count {
            guard var element = elements[index] else { continue }
            elements[index] = nil
            let goesOn = body(&element)
            elements[index] = element
            if !goesOn { return }
        }
    }

    /// Changes the first element. Traps if there is none.
    package mutating func updateFirst(_ body: (inout Element) -> Void) {
        guard var element = first else { preconditionFailure("an empty list has no first element") }
        elements[head] = nil
        body(&element)
        elements[head] = element
    }
}

extension Deque: Sendable where Element: Sendable {}
