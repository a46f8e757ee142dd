import Testing
import Wire

@Suite struct JSONNumberTests {
    struct Vector: Sendable, CustomTestStringConvertible {
        let text: String
        let value: Int64?
        init(_ text: String, _ value: Int64?) { (self.text, self.value) = (text, value) }
        var testDescription: String { text }
    }

    static let integers: [Vector] = [
        Vector("0", 0), Vector("-0", 0), Vector("7", 7), Vector("-7", -7),
        Vector("1790000000000000000", 1_790_000_000_000_000_000),
        Vector("999999999999999999", 999_999_999_999_999_999), Vector("9223372036854775807", .max),
        Vector("-9223372036854775808", .min), Vector("9223372036854775808", nil), Vector("-9223372036854775809", nil),
        Vector("18446744073709551616", nil), Vector("99999999999999999999999999", nil),
        Vector("1e3", 1_000), Vector("1E+3", 1_000), Vector("1.0", 1), Vector("1.500e2", 150), Vector("1000e-3", 1),
        Vector("0.001e3", 1), Vector("0.0", 0), Vector("0e999999999999999999999", 0),
        Vector("0e-999999999999999999999", 0),
        Vector("-1.0e18", -1_000_000_000_000_000_000), Vector("9.223372036854775807e18", .max),
        Vector("9223372036854775807000e-3", .max), Vector("922337203685477580.7e1", .max),
        Vector("1.5", nil), Vector("1e-1", nil), Vector("-0.1", nil), Vector("1e19", nil), Vector("1e400", nil),
        Vector("1e999999999999999999999", nil), Vector("1e-999999999999999999999", nil),
        Vector("1.00000000000000000000000000000000", 1), Vector("1.00000000000000000000000000000001", nil),
        Vector("100000000000000000000000000000000e-32", 1),
    ]

    @Test(arguments: integers)
    func `an integer is exact or refused, as a number and as a string`(vector: Vector) throws {
        for text in [vector.text, "\"\(vector.text)\"", " \(vector.text) "] {
            let bytes = Array(text.utf8)
            var reader = JSONReader()
            if let value = vector.value {
                #expect(try reader.readInteger(bytes.span) == value)
                try reader.finish(bytes.span)
            } else {
                #expect(throws: DecodingFault(.not_an_integer, at: text == vector.text ? 0 : 1)) {
                    try reader.readInteger(bytes.span)
                }
            }
        }
    }

    @Test(arguments: [
        "", " ", " 1", "1 ", "+1", "01", "1.", ".1", "1e", "0x1", "1_000", "one", "1,0", "--1", "-", "\u{661}",
    ])
    func `a string that holds no number is none`(text: String) {
        let bytes = Array("\"\(text)\"".utf8)
        var reader = JSONReader()
        #expect(throws: DecodingFault.self) { try reader.readInteger(bytes.span) }
    }

    @Test func `an escaped digit is a digit`() throws {
        let bytes = Array(#""1\u0030""#.utf8)
        var reader = JSONReader()
        #expect(try reader.readInteger(bytes.span) == 10)
    }

    @Test func `a number of megabytes is read or refused, in time`() throws {
        let zeros = String(repeating: "0", count: 1 << 20)
        for (text, value) in [("1.\(zeros)", 1), ("0.\(zeros)1e1048577", 1), ("1\(zeros)e-1048576", 1)] {
            let bytes = Array(text.utf8)
            var reader = JSONReader()
            #expect(try reader.readInteger(bytes.span) == Int64(value))
        }
        let bytes = Array("1\(zeros)".utf8)
        var reader = JSONReader()
        #expect(throws: DecodingFault(.not_an_integer, at: 0)) { try reader.readInteger(bytes.span) }
    }

    static let floors: [Vector] = [
        Vector("1.9", 1), Vector("-1.1", -2), Vector("-1.0", -1), Vector("0.5", 0), Vector("-0.5", -1),
        Vector("1e30", .max),
        Vector("-1e30", .min), Vector("1e-30", 0), Vector("-1e-30", -1), Vector("9223372036854775808", .max),
        Vector("-9223372036854775808.5", .min), Vector("-9223372036854775809", .min),
        Vector("1790000000.00000000000000000000000001", 1_790_000_000),
    ]

    @Test(arguments: floors + integers.filter { $0.value != nil })
    func `rounding down takes every number`(vector: Vector) throws {
        let bytes = Array(vector.text.utf8)
        var reader = JSONReader()
        #expect(try reader.readFloor(bytes.span) == vector.value)
    }

    @Test func `rounding down takes no string`() {
        let bytes = Array(#""1""#.utf8)
        var reader = JSONReader()
        #expect(throws: DecodingFault(.wrong_type, at: 0)) { try reader.readFloor(bytes.span) }
    }
}
