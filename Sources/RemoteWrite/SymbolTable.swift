import Wire

/// Every text that a message may name: label names, label values, help texts and units. Each text is held once for as
/// long as it is used, so a tick hashes no text.
///
/// A symbol's number is ours. A request of version 2.0 has numbers of its own, which `RequestEncoder` gives.
struct SymbolTable {
    private var numbers: [ExactText: UInt32] = [:]
    private var texts: [ExactText] = []
    private var uses: [UInt32] = []
    private var free: [UInt32] = []
    /// The symbols by their numbers, each as a varint length and its bytes.
    private(set) var encoded = ListStore<UInt8>()

    /// The number of the empty text, which is always there.
    static let empty: UInt32 = 0

    init() { _ = retain("") }

    /// One more than the highest number.
    var count: Int { uses.count }

    /// The number of a text, which is used once more from now on.
    mutating func retain(_ text: String) -> UInt32 {
        let key = ExactText(text)
        if let number = numbers[key] {
            uses[Int(number)] += 1
            return number
        }
        let number = free.popLast() ?? UInt32(count)
        if Int(number) == count {
            uses.append(0)
            texts.append(key)
            encoded.reserve(count)
        }
        encoded.fill(Int(number)) { bytes in
            bytes.appendVarint(UInt64(text.utf8.count))
            bytes.append(contentsOf: text.utf8)
        }
        uses[Int(number)] = 1
        texts[Int(number)] = key
        numbers[key] = number
        return number
    }

    /// Ends one use of a symbol. A symbol without a use is forgotten.
    mutating func release(_ number: UInt32) {
        let index = Int(number)
        uses[index] -= 1
        guard uses[index] == 0 else { return }
        numbers[texts[index]] = nil
        texts[index] = ExactText("")
        encoded.remove(index)
        free.append(number)
    }
}
