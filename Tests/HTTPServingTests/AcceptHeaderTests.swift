import HTTPServing
import Testing

@Suite struct AcceptHeaderTests {
    private func quality(_ header: String, _ type: String = "text/plain", _ version: String = "1") -> Double {
        AcceptHeader(header).preference(for: type, version: version).quality
    }

    @Test func `the most precise part decides, wherever it stands`() {
        let header = "*/*;q=0.1, text/*;q=0.2, text/plain;version=1;q=0.4, text/plain;q=0.3"
        #expect(quality(header) == 0.4)
        #expect(quality(header, "text/plain", "2") == 0.3)
        #expect(quality(header, "text/html") == 0.2)
        #expect(quality(header, "image/png") == 0.1)
        #expect(quality("text/plain;q=0, */*") == 0)
        #expect(quality("image/png") == 0)
    }

    @Test func `case, blanks, quotation marks and unknown parameters do not matter`() {
        #expect(quality(" Text/PLAIN ;\tVersion=\"1\" ; charset=utf-8; Q=0.5 ,image/png") == 0.5)
        #expect(quality("text/plain;version=\"2\", text/*;q=0.25") == 0.25)
    }

    @Test func `a type is named by its own name only`() {
        func isNamed(_ header: String) -> Bool {
            AcceptHeader(header).preference(for: "text/plain", version: "1").isNamed
        }
        #expect(isNamed("text/plain"))
        #expect(isNamed("text/plain;version=1"))
        #expect(!isNamed("text/*"))
        #expect(!isNamed("*/*"))
        #expect(!isNamed("text/plain;version=2"))
    }

    @Test func `what makes no sense is left out`() {
        #expect(quality("") == 0)
        #expect(quality(",;,=,text,;q=1") == 0)
        #expect(quality("text/plain;q=nonsense") == 0)
        #expect(quality("text/plain;q=7, */*;q=0.5") == 0.5)
        #expect(quality("text/plain;q=nan, text/*;q=0.5") == 0.5)
        #expect(quality(String(repeating: "a/b,", count: 100_000) + "text/plain") == 0)
    }
}
