import RemoteWrite

/// What a receiver got, in so little memory that millions of samples can be checked: for each series its newest sample,
/// and how many there were.
struct DeliveredSamples {
    /// One series.
    private struct Entry {
        let first: Int64
        var newest: Int64
        var bits: UInt64
        var count = 1
        /// It had a stale marker at some time, so it may have gaps.
        var hasEnded = false
    }

    private static let stale: UInt64 = 0x7FF0_0000_0000_0002
    /// The most bytes of a body that is not compressed: far beyond what receivers take.
    private static let limit_bytes = 256 << 20
    private static let counter = Array("lkpush_remote_write_readings_total".utf8)

    private var entries: [UInt64: Entry] = [:]
    /// The times and numbers of the readings, as the series of their own counter has them.
    private(set) var readings: [(time: Int64, number: Int)] = []
    private(set) var samples = 0
    /// Samples that came again with the same value.
    private(set) var copies = 0
    /// Samples that are older than one before them, or have another value at the same time.
    private(set) var violations = 0

    /// The number of series.
    var seriesCount: Int { entries.count }

    /// Takes a body of 2.0. Returns the number of its samples; nil if it cannot be read.
    mutating func take(_ body: [UInt8]) -> Int? {
        guard let raw = Snappy.decompress(body, limit: Self.limit_bytes) else { return nil }
        return raw.withUnsafeBufferPointer { bytes in
            let all = 0..<bytes.count
            var hashes: [UInt64] = []
            var counter = -1
            var reader = FieldReader(bytes, all)
            while let field = reader.next() {
                guard field.number == 4 else { continue }
                if bytes[field.content].elementsEqual(Self.counter) { counter = hashes.count }
                hashes.append(
                    bytes[field.content].reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 })
            }
            guard reader.isWhole else { return nil }
            var count = 0
            reader = FieldReader(bytes, all)
            while let field = reader.next() {
                if field.number == 5 { count += take(series: field.content, of: bytes, hashes, counter) }
            }
            return count
        }
    }

    private mutating func take(
        series: Range<Int>, of bytes: UnsafeBufferPointer<UInt8>, _ hashes: [UInt64], _ counter: Int
    ) -> Int {
        var name: UInt64 = 0
        var isCounter = false
        var count = 0
        var reader = FieldReader(bytes, series)
        while let field = reader.next() {
            switch field.number {
            case 1:
                var labels = FieldReader(bytes, field.content)
                while let reference = labels.number() {
                    let index = Int(reference)
                    guard hashes.indices.contains(index) else { return count }
                    if index == counter { isCounter = true }
                    name = (name << 7 | name >> 57) ^ hashes[index]
                    name = name &* 0x9E37_79B9_7F4A_7C15
                }
            case 2:
                count += 1
                var sample = FieldReader(bytes, field.content)
                var (time, bits) = (Int64(0), UInt64(0))
                while let part = sample.next() {
                    if part.number == 1 { bits = part.value }
                    if part.number == 2 { time = Int64(bitPattern: part.value) }
                }
                note(name, time, bits)
                if isCounter && bits != Self.stale { readings.append((time, Int(Double(bitPattern: bits)))) }
            default: break
            }
        }
        return count
    }

    private mutating func note(_ name: UInt64, _ time: Int64, _ bits: UInt64) {
        samples += 1
        guard var entry = entries[name] else {
            entries[name] = Entry(first: time, newest: time, bits: bits)
            return
        }
        if time == entry.newest && bits == entry.bits {
            copies += 1
            return
        }
        if time <= entry.newest { violations += 1 }
        (entry.newest, entry.bits) = (time, bits)
        entry.count += 1
        if bits == Self.stale { entry.hasEnded = true }
        entries[name] = entry
    }

    /// The number of series that lack a reading between their first sample and the newest reading, and of those that
    /// were not looked at, because they ended once.
    var incomplete: (series: Int, ended: Int) {
        let places = Dictionary(readings.enumerated().map { ($1.time, $0) }) { $1 }
        var (lacking, ended) = (0, 0)
        for entry in entries.values {
            if entry.hasEnded {
                ended += 1
            } else if places[entry.first].map({ entry.count < readings.count - $0 }) ?? true {
                lacking += 1
            }
        }
        return (lacking, ended)
    }

    /// The numbers of the readings, one list for each life of the program.
    var lives: [[Int]] {
        readings.reduce(into: []) { lives, reading in
            if let last = lives.last?.last, reading.number > last {
                lives[lives.count - 1].append(reading.number)
            } else {
                lives.append([reading.number])
            }
        }
    }
}

/// Reads the fields of a message one by one. https://protobuf.dev/programming-guides/encoding/
private struct FieldReader {
    struct Field {
        let number: UInt64
        /// The content of a field that has a length, otherwise empty.
        let content: Range<Int>
        /// The value of a field that has none.
        let value: UInt64
    }

    private let bytes: UnsafeBufferPointer<UInt8>
    private let end: Int
    private var position: Int
    /// False if the message is malformed.
    private(set) var isWhole = true

    init(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) {
        self.bytes = bytes
        position = range.lowerBound
        end = range.upperBound
    }

    /// The next number of a packed field.
    mutating func number() -> UInt64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while position < end, shift < 64 {
            let byte = bytes[position]
            position += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        return nil
    }

    mutating func next() -> Field? {
        guard isWhole, position < end else { return nil }
        guard let tag = number() else { return broken() }
        switch tag & 7 {
        case 0:
            guard let value = number() else { return broken() }
            return Field(number: tag >> 3, content: position..<position, value: value)
        case 1:
            guard position + 8 <= end else { return broken() }
            defer { position += 8 }
            let value = UnsafeRawBufferPointer(bytes).loadUnaligned(fromByteOffset: position, as: UInt64.self)
            return Field(number: tag >> 3, content: position..<position, value: UInt64(littleEndian: value))
        case 2:
            guard let size = number(), size <= UInt64(end - position) else { return broken() }
            defer { position += Int(size) }
            return Field(number: tag >> 3, content: position..<position + Int(size), value: 0)
        default: return broken()
        }
    }

    private mutating func broken() -> Field? {
        isWhole = false
        return nil
    }
}
