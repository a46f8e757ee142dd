import TestSupport
import Testing

/// The checks of `Tests/StatusPage` find what is wrong with a page.
@Suite(.enabled(if: Chromium.isWanted, "LKPUSH_TEST_PYTHON names a Python with Tests/requirements.txt"))
struct ChecksTests {
    /// A page with a mistake, and the beginning of what is said about it.
    private struct Mistake: Sendable {
        let page: String
        let said: String
        let check: @Sendable (Chromium) throws -> [String]

        init(_ page: String, _ said: String, _ check: @escaping @Sendable (Chromium) throws -> [String]) {
            (self.page, self.said, self.check) = (page, said, check)
        }
    }

    private static let good = """
        <!doctype html><html lang=en><title>A page</title><meta name=viewport content="width=device-width">
        <main><h1>Figures</h1>
        """

    private static let mistakes = [
        Mistake("<p style='width:500px'>wide", "the page scrolls sideways") { try $0.layout() },
        Mistake("<p style='position:absolute;left:-20px'>outside", "beyond the window") { try $0.layout() },
        Mistake("<p style='width:30px;overflow:hidden;white-space:nowrap'>cut off", "cut: p") { try $0.layout() },
        Mistake("<p style='height:9px;overflow:hidden'>cut off", "cut at its end: p") { try $0.layout() },
        Mistake("<p style='width:30px;overflow:auto'>unbreakable", "scrolls sideways: p") { try $0.layout() },
        Mistake("<p>one<p style='margin-top:-2em'>two", "overlaps: ") { try $0.layout() },
        Mistake("<p style='color:#999'>pale", "color-contrast: ") { try $0.accessibility() },
        Mistake("<input>", "label: ") { try $0.accessibility() },
        Mistake("<button style='outline:none'>a</button>", "nothing shows the focus of ") { try $0.keyboard() },
        Mistake("<button style='position:absolute;left:-99px'>a</button>", "something covers ") { try $0.keyboard() },
        Mistake(
            "<button>a</button><button onfocus='document.querySelector(\"button\").focus()'>b</button>",
            "the tab key does not reach button \"b\""
        ) { try $0.keyboard() },
        Mistake("<button tabindex=2>a</button>", "tabindex: ") { try $0.accessibility() },
        Mistake("<p>no buttons", "nothing can be focused") { try $0.keyboard() },
        Mistake("<img alt='' src='http://127.0.0.1:1/x'>", "http://127.0.0.1:1/x") { try $0.requests() },
        Mistake("<script>console.warn('odd')</script>", "WARNING console-api") { try $0.console() },
        Mistake("<script>throw new Error('odd')</script>", "SEVERE javascript") { try $0.console() },
    ]

    @Test func `each mistake is found, and a page without one is good`() throws {
        let browser = try Chromium()
        try browser.emulate(width: 360)
        func open(_ body: String) throws {
            let text = Self.good + body
            let escaped = text.utf8.map { "%" + ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            try browser.open("data:text/html,\(escaped)")
        }
        try open("<p>Good.</p><button>Do it</button>")
        let findings = try browser.layout() + browser.accessibility() + browser.keyboard() + browser.console()
        #expect(findings == [])
        for mistake in Self.mistakes {
            _ = try (browser.console(), browser.requests())
            try open(mistake.page)
            let found = try mistake.check(browser)
            #expect(found.contains { $0.hasPrefix(mistake.said) }, "\(mistake.page): \(found)")
        }
        try open("<script>setTimeout(() => alert('harm'))</script>")
        var dialog: String?
        #expect(
            try eventually {
                dialog = try browser.dialog()
                return dialog != nil
            })
        #expect(dialog == "harm")
    }
}
