import RemoteWrite
import Testing

@Suite struct FamilySelectionTests {
    @Test func `a glob stands for whole names, and all of them leave families out`() {
        let selection = FamilySelection(excluding: ["lkpush_http_*", "process_?pu_*", "lk_room_[ad]*", "lk_[!r]x"])
        let cases = [
            ("lkpush_http_connections", false), ("xlkpush_http_connections", true), ("lkpush_http", true),
            ("process_cpu_seconds_total", false), ("process_max_fds", true), ("lk_room_active", false),
            ("lk_room_duration_seconds", false), ("lk_rooms_started_total", true), ("lk_ax", false), ("lk_rx", true),
        ]
        for (name, isIncluded) in cases { #expect(selection.includes(name) == isIncluded, "\(name)") }
        #expect(FamilySelection().includes("anything"))
    }

    @Test func `what is included is all that is pushed, but for what is excluded`() {
        let selection = FamilySelection(including: ["lk_*", "process_?pu_*"], excluding: ["lk_room_*"])
        let cases = [
            ("lk_tracks_active", true), ("lk_room_active", false), ("process_cpu_seconds_total", true),
            ("process_max_fds", false), ("lkpush_series", false),
        ]
        for (name, isIncluded) in cases { #expect(selection.includes(name) == isIncluded, "\(name)") }
        #expect(!FamilySelection(including: ["a"], excluding: ["*"]).includes("a"))
    }

    @Test func `globs that stand for nothing are found`() {
        let globs = ["a*", "b", "x_bucket", "*"]
        #expect(FamilySelection.globsWithoutMatch(globs, in: ["ab", "x"]) == ["b", "x_bucket"])
        #expect(FamilySelection.globsWithoutMatch(globs, in: []) == globs)
    }

    @Test(arguments: ["*", "lk_?", "a:b_9", "[abc]*", "[!a-z]", "[^a]", "[]a]", "[!]]"])
    func `a glob of names is one`(_ glob: String) throws { try FamilySelection.check(glob) }

    @Test(arguments: [
        ("lk_[ab", "is no glob: [ without a ]"), ("[", "is no glob: [ without a ]"),
        ("[]", "is no glob: [ without a ]"), ("[!]", "is no glob: [ without a ]"),
        ("lk room", "holds  ;"), ("{a}", "holds {;"), (#"a\*"#, #"holds \;"#), ("a]", "holds ];"), ("lé", "holds é;"),
        ("a/b", "holds /;"),
    ])
    func `a text that could match no name is none`(_ glob: String, _ words: String) throws {
        let fault = #expect(throws: FamilySelection.GlobFault.self) { try FamilySelection.check(glob) }
        #expect(fault?.description.hasPrefix(words) == true)
    }
}
