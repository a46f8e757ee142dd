import Wire

/// The place of an element in its `EntityTable`. It is smaller and faster than a reference, and a plain value.
struct Slot<Element>: Hashable, Sendable {
    let position: Int32

    /// The slot that refers to no place.
    static var none: Slot { Slot(position: -1) }
    var isNone: Bool { position < 0 }
    var index: Int { Int(position) }
}

/// An element of an `EntityTable`.
protocol Entity: Sendable {
    /// Unique in its table, and never empty while the element is in there.
    var key: String { get }
    /// The element in a free place.
    static var vacant: Self { get }
}

/// A table of elements by key. The place of an element does not change while it is there.
///
/// A look-up by key hashes once; everything else is an array access. Iteration follows the order of places, which is
/// the same for the same history.
struct EntityTable<Element: Entity>: Sendable {
    private var elements: [Element] = []
    /// The free places. The last one is used first.
    private(set) var free: [Int32] = []
    private var places: [ExactText: Int32] = [:]

    init() {}

    /// Restores a table: the elements in the order of their places, with the free places between them.
    ///
    /// Throws if a key is empty or occurs twice, or if the free places are invalid.
    init(_ all: [Element], free: [Int32]) throws(MessageFault) {
        let total = all.count + free.count
        guard total <= Int(Int32.max) else { throw MessageFault("a table is too large") }
        var isFree = [Bool](repeating: false, count: total)
        for place in free {
            guard place >= 0, place < total, !isFree[Int(place)] else { throw MessageFault("a free place is none") }
            isFree[Int(place)] = true
        }
        elements.reserveCapacity(total)
        places.reserveCapacity(all.count)
        var next = all.makeIterator()
        for place in 0..<total {
            guard !isFree[place], let element = next.next() else {
                elements.append(.vacant)
                continue
            }
            guard !element.key.isEmpty, places.updateValue(Int32(place), forKey: ExactText(element.key)) == nil else {
                throw MessageFault("an entity is there twice")
            }
            elements.append(element)
        }
        self.free = free
    }

    /// Returns true if a slot refers to an element.
    func holds(_ slot: Slot<Element>) -> Bool {
        slot.position >= 0 && slot.position < elements.count && !elements[slot.index].key.isEmpty
    }

    var count: Int { places.count }

    /// Returns the place of the element with this key; `.none` if there is none.
    func find(_ key: String) -> Slot<Element> { Slot(position: places[ExactText(key)] ?? -1) }

    /// Adds an element. Its key must be new.
    mutating func insert(_ element: Element) -> Slot<Element> {
        let position: Int32
        if let place = free.popLast() {
            position = place
            elements[Int(place)] = element
        } else {
            position = Int32(elements.count)
            elements.append(element)
        }
        let previous = places.updateValue(position, forKey: ExactText(element.key))
        assert(previous == nil && !element.key.isEmpty, "an entity is opened once")
        return Slot(position: position)
    }

    mutating func remove(_ slot: Slot<Element>) {
        let removed = places.removeValue(forKey: ExactText(elements[slot.index].key))
        assert(removed == slot.position, "an entity is closed once")
        elements[slot.index] = .vacant
        free.append(slot.position)
    }

    subscript(slot: Slot<Element>) -> Element {
        _read { yield elements[slot.index] }
        _modify { yield &elements[slot.index] }
    }

    /// The number of places, including free ones: the bound of `slot(at:)`.
    var places_count: Int { elements.count }

    /// Returns the slot of a place; `.none` if the place is free.
    func slot(at place: Int) -> Slot<Element> {
        elements[place].key.isEmpty ? .none : Slot(position: Int32(place))
    }

    /// All elements in the order of their places, for checks and reports. It is too slow for the path of an event.
    var all: [(slot: Slot<Element>, element: Element)] {
        elements.indices.compactMap { place in
            let slot = slot(at: place)
            return slot.isNone ? nil : (slot, elements[place])
        }
    }
}

extension Array {
    /// Removes the element at `index` in constant time by moving the last one there.
    mutating func swapRemove(at index: Int) {
        let last = count - 1
        if index != last { swapAt(index, last) }
        removeLast()
    }
}
