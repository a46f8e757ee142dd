/// A JSON number, read without floating point: a whole number, or one truncated towards zero.
/// https://www.rfc-editor.org/rfc/rfc8259#section-6
struct JSONNumber {
    /// The offsets of the first character of the number, and after its last one.
    let start: Int
    let end: Int
    private let isNegative: Bool
    /// The digits before the decimal point, after the exponent has moved the point; nil if 64 bits cannot hold them.
    private let whole: UInt64?
    /// There are digits other than zero behind the decimal point.
    private let hasFraction: Bool

    /// The exact value; nil for a fraction, and if 64 bits cannot hold it.
    var integer: Int64? {
        guard let whole, !hasFraction else { return nil }
        return isNegative ? Int64(exactly: -Int128(whole)) : Int64(exactly: whole)
    }

    /// The value rounded down and clamped to 64 bits.
    var floor: Int64 {
        guard let whole else { return isNegative ? .min : .max }
        return isNegative ? Int64(clamping: -Int128(whole) - (hasFraction ? 1 : 0)) : Int64(clamping: whole)
    }

    /// Reads the number that takes up all of `bytes[start..<end]`.
    init(quoted bytes: Span<UInt8>, from start: Int, to end: Int) throws(DecodingFault) {
        try self.init(bytes, at: start, end: end)
        guard self.end == end else { throw DecodingFault(.not_an_integer, at: start) }
    }

    /// Reads the number that begins at `start` and ends at `limit` at the latest.
    init(_ bytes: Span<UInt8>, at start: Int, end limit: Int) throws(DecodingFault) {
        end = try Self.end(of: bytes, at: start, limit: limit)
        self.start = start
        isNegative = bytes[start] == UInt8(ascii: "-")
        // LiveKit sends up to 19 digits and nothing else; 64 bits hold any 19 digits.
        var at = isNegative ? start + 1 : start
        var value: UInt64 = 0
        let brief = Swift.min(end, at + 19)
        while at < brief, let digit = Self.digit(bytes[at]) {
            value = value &* 10 &+ digit
            at += 1
        }
        if at == end {
            (whole, hasFraction) = (value, false)
        } else {
            (whole, hasFraction) = Self.scaled(bytes, from: isNegative ? start + 1 : start, to: end)
        }
    }

    /// Returns the digits before the decimal point of a number with a fraction, an exponent, or many digits.
    private static func scaled(
        _ bytes: Span<UInt8>, from start: Int, to end: Int
    ) -> (whole: UInt64?, hasFraction: Bool) {
        var mantissaEnd = start
        var point: Int?
        while mantissaEnd < end, bytes[mantissaEnd] | 0x20 != UInt8(ascii: "e") {
            if bytes[mantissaEnd] == UInt8(ascii: ".") { point = mantissaEnd }
            mantissaEnd += 1
        }
        let exponent = mantissaEnd < end ? Self.exponent(bytes, from: mantissaEnd + 1, to: end) : 0
        // The number of digits left of the point after the exponent has moved it; negative if the point stands before
        // all of them.
        var left = (point ?? mantissaEnd) - start + exponent
        var whole: UInt64? = 0
        var hasFraction = false
        for at in start..<mantissaEnd {
            guard let digit = digit(bytes[at]) else { continue }
            if left > 0 {
                whole = tenfold(whole, plus: digit)
            } else if digit != 0 {
                hasFraction = true
            }
            left -= 1
        }
        while left > 0, whole != 0, whole != nil {
            whole = tenfold(whole, plus: 0)
            left -= 1
        }
        return (whole, hasFraction)
    }

    /// Reads a signed exponent. It is clamped to a value beyond the number of digits of any body.
    private static func exponent(_ bytes: Span<UInt8>, from start: Int, to end: Int) -> Int {
        var value = 0
        for at in start..<end {
            if let digit = digit(bytes[at]) { value = Swift.min(value * 10 + Int(digit), 1 << 40) }
        }
        return bytes[start] == UInt8(ascii: "-") ? -value : value
    }

    /// Returns `value` with another digit at its end; nil if 64 bits cannot hold it.
    private static func tenfold(_ value: UInt64?, plus digit: UInt64) -> UInt64? {
        guard let (product, tooLarge) = value?.multipliedReportingOverflow(by: 10), !tooLarge else { return nil }
        let (sum, overflow) = product.addingReportingOverflow(digit)
        return overflow ? nil : sum
    }

    @inline(always)
    private static func digit(_ byte: UInt8) -> UInt64? {
        let digit = byte &- UInt8(ascii: "0")
        return digit < 10 ? UInt64(digit) : nil
    }

    /// Returns the offset at which the number that begins at `start` ends, by the grammar.
    static func end(of bytes: Span<UInt8>, at start: Int, limit: Int) throws(DecodingFault) -> Int {
        var at = start
        if at < limit, bytes[at] == UInt8(ascii: "-") { at += 1 }
        if at < limit, bytes[at] == UInt8(ascii: "0") {
            at += 1
        } else {
            at = try endOfDigits(bytes, at: at, limit: limit)
        }
        if at < limit, bytes[at] == UInt8(ascii: ".") { at = try endOfDigits(bytes, at: at + 1, limit: limit) }
        if at < limit, bytes[at] | 0x20 == UInt8(ascii: "e") {
            at += 1
            if at < limit, bytes[at] == UInt8(ascii: "+") || bytes[at] == UInt8(ascii: "-") { at += 1 }
            at = try endOfDigits(bytes, at: at, limit: limit)
        }
        return at
    }

    /// Returns the offset after a run of at least one digit.
    private static func endOfDigits(_ bytes: Span<UInt8>, at start: Int, limit: Int) throws(DecodingFault) -> Int {
        var at = start
        while at < limit, digit(bytes[at]) != nil { at += 1 }
        guard at > start else {
            throw DecodingFault(at < limit ? .unexpected_byte : .unexpected_end, at: at)
        }
        return at
    }
}
