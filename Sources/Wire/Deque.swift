/// A list whose ends are both cheap: what came first leaves first, in constant time.
package struct Deque<Element> {
    private var elements: [Element?] = []
    private var head = 0

    package init() {}

    package var count: Int { elements.count - head }
    package var isEmpty: Bool { head == elements.count }
    package var first: Element? { count > 0 ? elements[head] : nil }

    /// All of them, the first first.
    package var all: some Sequence<Element> { elements[head...].lazy.compactMap { $0 } }

    /// Adds an element behind all others.
    package mutating func append(_ element: Element) { elements.append(element) }

    /// Adds an element before all others.
    package mutating func prepend(_ element: Element) {
        if head > 0 {
            head -= 1
            elements[head] = element
        } else {
            elements.insert(element, at: 0)
        }
    }

    /// Removes and returns the first element, nil where there is none.
    package mutating func popFirst() -> Element? {
        guard count > 0 else { return nil }
        let element = elements[head]
        elements[head] = nil
        head += 1
        if head == elements.count {
            elements.removeAll(keepingCapacity: true)
            head = 0
        } else if head > 64 && head > elements.count / 2 {
            // Half of it is used up: moving the rest costs no more than what was taken since the last time.
            elements.removeFirst(head)
            head = 0
        }
        return element
    }

    /// Passes the elements to `body` in order, from the first on, until it returns false.
    package mutating func updateEach(_ body: (inout Element) -> Bool) {
        for index in head..<elements.count {
            guard var element = elements[index] else { continue }
            elements[index] = nil
            let goesOn = body(&element)
            elements[index] = element
            if !goesOn { return }
        }
    }

    /// Changes the first element; traps where there is none.
    package mutating func updateFirst(_ body: (inout Element) -> Void) {
        guard var element = first else { preconditionFailure("an empty list has no first element") }
        elements[head] = nil
        body(&element)
        elements[head] = element
    }
}

extension Deque: Sendable where Element: Sendable {}
