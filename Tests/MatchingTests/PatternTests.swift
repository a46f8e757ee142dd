import Matching
import TestSupport
import Testing

@Suite struct PatternTests {
    @Test func `named groups are what they matched`() throws {
        let pattern = try Pattern("^(?<org>[^/]+)/(?<name>[^/]+)?/?")
        #expect(pattern.groupNames == ["name", "org"])
        #expect(pattern.match("acme/Straße/7") == .matched(["org": "acme", "name": "Straße"]))
        #expect(pattern.match("acme/") == .matched(["org": "acme"]))
        #expect(pattern.match("acme") == .notMatched)
        #expect(pattern.match("") == .notMatched)
        #expect(pattern.match("acme/Straße/7") == .matched(["org": "acme", "name": "Straße"]))
    }

    @Test func `groups without a name and empty texts are fine`() throws {
        #expect(try Pattern("").match("") == .matched([:]))
        #expect(try Pattern("(a)(?<org>)").match("ba") == .matched(["org": ""]))
        #expect(try Pattern("(?<org>日本.)").match("x日本語") == .matched(["org": "日本語"]))
        #expect(try Pattern("^\\d+$").match("12\u{0}") == .notMatched)
    }

    @Test func `a group with several places has the one that matched`() throws {
        let pattern = try Pattern("(?J)^(?:a-(?<org>\\d+)|b-(?<org>\\w+))$")
        #expect(pattern.match("a-12") == .matched(["org": "12"]))
        #expect(pattern.match("b-xy") == .matched(["org": "xy"]))
    }

    @Test func `a wrong expression says what is wrong and where`() {
        do {
            _ = try Pattern("^(?<org>[a-z]+")
            Issue.record("compiled")
        } catch {
            #expect(error.description == "missing closing parenthesis at offset 14")
        }
        #expect(throws: PatternFault.self) { try Pattern("(?<org>\\C)") }
        #expect(throws: PatternFault.self) { try Pattern(String(repeating: "a", count: 5_000)) }
        #expect(throws: PatternFault.self) { try Pattern(String(repeating: "(", count: 1_000)) }
    }

    @Test func `a hostile text ends the search, not the process`() throws {
        let evil = try Pattern("^(?<org>(a+)+)$")
        // Its steps are counted: all of them would take longer than the universe lasts.
        let isPrompt = Promptness.holds(within: .seconds(1)) {
            #expect(evil.match(String(repeating: "a", count: 4_000) + "!") == .gaveUp)
        }
        #expect(isPrompt)
        let nested = try Pattern("^(?<org>(?:a|(?:b|(?:.|c)*)*)*)!$")
        #expect(nested.match(String(repeating: "x", count: 4_000)) != .matched([:]))
        #expect(evil.match(String(repeating: "a", count: 4_097)) == .gaveUp)
        #expect(evil.match("aaa") == .matched(["org": "aaa"]))
    }

    @Test func `a match whose start was moved has its groups`() throws {
        #expect(try Pattern("(?<org>ab)\\Kc").match("abc") == .matched(["org": "ab"]))
        #expect(throws: PatternFault.self) { try Pattern("(?=(?<org>ab\\K))a") }
    }
}
