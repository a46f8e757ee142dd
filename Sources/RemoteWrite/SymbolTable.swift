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
    /// The symbols one after another, each as a varint length and its bytes.
    private(set) var bytes: [UInt8] = []
    private(set) var ranges: [Range<Int>] = []
    private var unused_bytes = 0

    /// The number of the empty text, which is always there.
    static let empty: UInt32 = 0

    init() { _ = retain("") }

    /// One more than the highest number.
    var count: Int { ranges.count }

    /// The number of a text, which is used once more from now on.
    mutating func retain(_ text: String) -> UInt32 {
        let key = ExactText(text)
        if let number = numbers[key] {
            uses[Int(number)] += 1
            return number
        }
        let number = free.popLast() ?? UInt32(ranges.count)
        if Int(number) == ranges.count {
            ranges.append(0..<0)
            uses.append(0)
            texts.append(key)
        }
        let start = bytes.count
        bytes.appendVarint(UInt64(text.utf8.count))
        bytes.append(contentsOf: text.utf8)
        ranges[Int(number)] = start..<bytes.count
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
        unused_bytes += ranges[index].count
        ranges[index] = 0..<0
        free.append(number)
        if unused_bytes > 65_536 && unused_bytes > bytes.count / 2 { compact() }
    }

    private mutating func compact() {
        var compact: [UInt8] = []
        compact.reserveCapacity(bytes.count - unused_bytes)
        for index in ranges.indices where !ranges[index].isEmpty {
            let start = compact.count
            compact.append(contentsOf: bytes[ranges[index]])
            ranges[index] = start..<compact.count
        }
        bytes = compact
        unused_bytes = 0
    }
}
