import Testing
import Wire

@Suite struct TruncationTests {
    @Test func `a text that fits stays as it is`() {
        #expect("".truncated(toBytes: 0) == "")
        #expect("abc".truncated(toBytes: 3) == "abc")
        #expect("😀".truncated(toBytes: 4) == "😀")
    }

    /// One, two, three and four bytes.
    @Test(arguments: ["a", "ä", "€", "😀"])
    func `no scalar is cut in two, and no room is left that one would fit in`(_ scalar: String) {
        let width = scalar.utf8.count
        let text = String(repeating: scalar, count: 20)
        for limit in 0...text.utf8.count {
            let cut = text.truncated(toBytes: limit)
            #expect(cut == String(repeating: scalar, count: limit / width))
        }
    }

    @Test func `an accent of its own may be cut from its letter`() {
        let text = "e\u{301}x"
        #expect(text.truncated(toBytes: 2) == "e")
        #expect(text.truncated(toBytes: 3) == "e\u{301}")
    }

    @Test func `a text in pieces and a part of a text are cut the same way`() {
        let long = String(repeating: "aä€😀", count: 100)
        let part = String(long.dropFirst(2))
        var scalars = String.UnicodeScalarView()
        for limit in 0...40 {
            let cut = part.truncated(toBytes: limit)
            scalars.removeAll()
            var room = limit
            for scalar in part.unicodeScalars {
                room -= UTF8.width(scalar)
                if room < 0 { break }
                scalars.append(scalar)
            }
            #expect(cut == String(scalars))
        }
    }
}
