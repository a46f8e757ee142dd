import Platform
import Status
import TestSupport
import Testing

/// Rooms and organizations whose names are made to harm whoever looks at them.
@Suite(.enabled(if: Chromium.isWanted, "LKPUSH_TEST_PYTHON names a Python with Tests/requirements.txt"))
struct HostileNameTests {
    /// A name, and the text of it that the page shows.
    private struct Name {
        let text: String
        let shown: String

        init(_ text: String, shown: String? = nil) { (self.text, self.shown) = (text, shown ?? text) }
    }

    private static let names = [
        Name("<img src=x onerror=window.ran=1>"), Name("<script>window.ran=1</script>"),
        Name("\"><svg onload=window.ran=1>"), Name("' onmouseover='window.ran=1"), Name("</script><script>alert(1)//"),
        Name("<a href=javascript:alert(1)>click</a>"), Name("${alert(1)}{{alert(1)}}"), Name("&lt;b&gt;&#x3c;"),
        Name("__proto__"), Name("constructor"), Name("%s%n%x"), Name("=1+1|cmd"),
        Name("\u{1B}[31mred\u{1B}[2J\u{07}", shown: "\\u{1B}[31mred\\u{1B}[2J\\u{7}"),
        Name("\u{9B}31m\u{7F}", shown: "\\u{9B}31m\\u{7F}"),
        Name("\u{202E}gnp.exe\u{202C}", shown: "\\u{202E}gnp.exe\\u{202C}"),
        Name("\u{2067}\u{2066}open", shown: "\\u{2067}\\u{2066}open"),
        Name("a\u{200F}b\u{2028}c", shown: "a\\u{200F}b\\u{2028}c"),
        Name("two\nlines", shown: "two\\u{A}lines"), Name("عربي 123"),
        Name("👩‍👩‍👧 🏳️‍🌈"),
    ]
    private static let long = String(repeating: "A", count: 10_000)
    /// Accents that would cover what stands above.
    private static let tall = "e" + String(repeating: "\u{301}", count: 200)

    /// JSON that gives a room an organization.
    private func metadata(_ organization: String) -> String {
        var json = Array("{\"org\":".utf8)
        organization.append(to: &json)
        return String(decoding: json + [UInt8(ascii: "}")], as: UTF8.self)
    }

    private func expectHarmless(_ browser: Chromium, _ page: String) throws {
        #expect(try browser.run("return window.ran === undefined"))
        #expect(try browser.dialog() == nil)
        #expect(
            try browser.run("return [document.scripts.length, document.images.length, frames.length]") == [1, 0, 0])
        // Text that acts, and text that reorders what stands beside it, is nowhere: neither as text nor in an attribute.
        let unsafe: [String] = try browser.run(
            """
            const unsafe = /[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u206f]/;
            const texts = [document.title, document.body.textContent, ...[...document.querySelectorAll('body *')].flatMap(
                element => [...element.attributes].map(attribute => attribute.value))];
            return texts.filter(text => unsafe.test(text)).map(text => text.slice(0, 200));
            """)
        #expect(unsafe == [])
        try browser.expectQuiet(page)
    }

    @Test func `names of strangers are shown as text, and nothing of them runs`() throws {
        let exporter = try ShownExporter(["ORG_SOURCE": "metadata", "ORG_METADATA_KEY": "org"])
        let browser = try Chromium()
        try browser.open(exporter.page)
        #expect(try browser.wait(forText: "Healthy"))
        for (number, name) in (Self.names + [Name(Self.tall), Name(Self.long)]).enumerated() {
            // An organization with that name, and a room with that name which has none.
            try exporter.send(
                SignedWebhook.make("room_started", room: "known-\(number)", metadata: metadata(name.text)),
                SignedWebhook.make(
                    "participant_joined", room: "known-\(number)", identity: "Ann", metadata: metadata(name.text)),
                SignedWebhook.make("room_started", room: name.text, sid: "stranger\(number)"))
        }
        var ids: [String] = []
        let areKnown = try eventually {
            ids = try exporter.status().organizations.list.map(\.id)
            return Set(ids).isSuperset(of: Self.names.map(\.text))
        }
        #expect(areKnown, "\(ids)")

        #expect(try browser.wait(forText: "What to do"))
        for name in Self.names {
            let isShown = try browser.wait(
                until: """
                    return [...document.querySelectorAll('#organizations-table bdi')].some(
                        element => element.textContent === arguments[0] && element.checkVisibility())
                    """, name.shown)
            #expect(isShown, "\(name.shown)")
        }
        // The document tells of the newest twenty rooms.
        let rooms = try exporter.status().recorder.unknownRooms
        #expect(rooms.count == 20 && rooms.contains { Self.long.hasPrefix($0.room) && $0.room.count >= 40 })
        let shown: [String] = try browser.run(
            "return [...document.querySelectorAll('#unknown-rooms-list bdi')].map(element => element.textContent)")
        for name in Self.names.suffix(15) { #expect(shown.contains(name.shown), "\(name.shown) in \(shown)") }

        try browser.expectUsable("hostile")
        try expectHarmless(browser, exporter.page)
        try exporter.program.terminate()
    }
}
