import Exporter
import Platform
import TestSupport
import Testing

/// `LIVEKIT_KEYS_FILE`, in LiveKit's own format.
@Suite struct KeysFileTests {
    private let folder = TemporaryFolder()
    private var path: String { folder.file("keys") }

    private func settings(_ bytes: [UInt8]) throws -> (keys: LiveKitKeys, problems: [String]) {
        try FileStore.replace(path, with: bytes)
        var reader = SettingsReader(["LIVEKIT_KEYS_FILE": path])
        let settings = Settings(&reader)
        return (settings.liveKitKeys, reader.problems)
    }

    @Test(
        arguments: [
            "# ours\nAPIone: secret-1\n\n  \"APItwo\" : 'secret: 2'\n",
            "APIone: secret-1 # ours\nAPItwo: \"secret: 2\" #x",
            "\u{FEFF}APIone: secret-1\r\nAPItwo:\tsecret: 2\r\n",
            "---\n'APIone': \"secret-1\"\nAPItwo: secret: 2\u{A0}",
            "APIone\u{200B}:\u{A0}secret-1\n \u{FEFF}APItwo: 'secret: 2'\u{200B}\n",
            "APIone:secret-1\nAPItwo: 'secret: 2'# y",
        ])
    func `several keys come from one file`(_ text: String) throws {
        let (keys, problems) = try settings(Array(text.utf8))
        #expect(problems == [])
        #expect(
            try keys.read() == [
                KeyPair(key: "APIone", secret: Secret("secret-1")), KeyPair(key: "APItwo", secret: Secret("secret: 2")),
            ])
    }

    @Test(
        arguments: [
            (#"a: "sec\"ret\\""#, #"sec"ret\"#), ("a: 'it''s'", "it's"), ("a: x#y", "x#y"), ("a: '# x'", "# x"),
            ("a: pass=word+/==", "pass=word+/=="),
        ] as [(String, String)])
    func `quotes and signs of a secret are as in YAML`(_ text: String, _ secret: String) throws {
        #expect(try settings(Array(text.utf8)).keys.read() == [KeyPair(key: "a", secret: Secret(secret))])
    }

    @Test(
        arguments: [
            ("", " holds no key"), ("# only\n", " holds no key"), ("no colon", " line 1: expected `key: secret`"),
            ("a: 1\na: 2", " line 2: the key is there twice"), (": x", " line 1: expected `key: secret`"),
            ("b: 1\na:", " line 2: expected `key: secret`"), ("a: # hunter2", " line 1: expected `key: secret`"),
            ("a: ''", " line 1: expected `key: secret`"), ("a: 'hunter2", " line 1: a quote is not closed"),
            ("a: 'x' hunter2", " line 1: something follows the closing quote"),
            ("a: |\n  hunter2", " line 1: a quote is"),
            ("a: &hunter2 x", " line 1: a quote is not closed, or the secret is no YAML text"),
            ("a: hun\u{200B}ter2", " line 1: holds an invisible character (U+200B)"),
            ("a: 1\nb\u{A0}c: hunter2", " line 2: holds an invisible character (U+00A0)"),
            ("a: hun\u{1B}ter2", " line 1: holds a control character (code 27)"),
        ] as [(String, String)])
    func `what cannot be right is an error with its line, and shows no secret`(_ text: String, _ message: String) throws
    {
        let (keys, problems) = try settings(Array(text.utf8))
        #expect(problems.count == 1 && problems[0].hasPrefix("LIVEKIT_KEYS_FILE: \(path)\(message)"), "\(problems)")
        #expect(!problems.joined().contains("ter2"))
        #expect(throws: LiveKitKeys.KeysError.self) { try keys.read() }
    }

    @Test func `UTF-16 is an error with its line`() throws {
        let text = "a: hunter2\n".utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
        #expect(
            try settings([0xFF, 0xFE] + text).problems
                == ["LIVEKIT_KEYS_FILE: \(path) line 1: the file is UTF-16; save it as UTF-8"])
    }
}
