/// Short lists under numbers from 0 on, one after another in one array: thousands of them cost no allocation each.
///
/// The place of a list that was removed is not used again until the array is compacted.
struct ListStore<Element: Sendable>: Sendable {
    private enum Limits {
        /// The unused part at which the array is compacted, if it is also more than a half.
        static var unused: Int { 65_536 }
    }

    /// The elements of all lists, in no order.
    private(set) var elements: [Element] = []
    /// The place of each list in `elements`.
    private(set) var ranges: [Range<Int>] = []
    private var unused = 0

    /// Makes room for numbers below `count`. New lists are empty.
    mutating func reserve(_ count: Int) {
        if count > ranges.count { ranges.append(contentsOf: repeatElement(0..<0, count: count - ranges.count)) }
    }

    /// Makes room for this many elements at once. An array that grows step by step leaves holes in the heap, which are as
    /// large as itself.
    mutating func reserve(elements count: Int) { elements.reserveCapacity(elements.count + count) }

    subscript(number: Int) -> ArraySlice<Element> { elements[ranges[number]] }

    /// Fills a list that is empty. `body` appends its elements.
    mutating func fill(_ number: Int, _ body: (inout [Element]) -> Void) {
        let start = elements.count
        body(&elements)
        ranges[number] = start..<elements.count
    }

    /// Empties a list.
    mutating func remove(_ number: Int) {
        unused += ranges[number].count
        ranges[number] = 0..<0
        if unused > Limits.unused && unused > elements.count / 2 { compact() }
    }

    private mutating func compact() {
        var compact: [Element] = []
        compact.reserveCapacity(elements.count - unused)
        for number in ranges.indices where !ranges[number].isEmpty {
            let start = compact.count
            compact.append(contentsOf: elements[ranges[number]])
            ranges[number] = start..<compact.count
        }
        elements = compact
        unused = 0
    }
}
