import Exporter
import Platform
import TestSupport
import Testing

/// The file of `--env-file`, in the format of Docker Compose.
@Suite struct EnvironmentFileTests {
    private let folder = TemporaryFolder()
    private var path: String { folder.file("env") }

    private func read(_ text: String, under environment: [String: String] = [:]) throws -> [String: String] {
        try FileStore.replace(path, with: Array(text.utf8))
        return try EnvironmentFile.read(path, under: environment)
    }

    private func fault(_ bytes: [UInt8]) throws -> String {
        try FileStore.replace(path, with: bytes)
        let fault = #expect(throws: EnvironmentFile.EnvironmentError.self) {
            try EnvironmentFile.read(path, under: [:])
        }
        return fault.map { $0.description.replacing(path + " ", with: "") } ?? ""
    }

    @Test(
        arguments: [
            // Examples of Compose's documentation.
            ("VAR=VAL", "VAL"), ("VAR=\"VAL\"", "VAL"), ("VAR='VAL'", "VAL"), ("VAR=VAL # comment", "VAL"),
            ("VAR=VAL# not a comment", "VAL# not a comment"), ("VAR=\"VAL # not a comment\"", "VAL # not a comment"),
            ("VAR=\"VAL\" # comment", "VAL"), ("VAR='$OTHER'", "$OTHER"), ("VAR='${OTHER}'", "${OTHER}"),
            (#"VAR='Let\'s go!'"#, "Let's go!"), (#"VAR="{\"hello\": \"json\"}""#, #"{"hello": "json"}"#),
            (#"VAR="some\tvalue""#, "some\tvalue"), (#"VAR='some\tvalue'"#, #"some\tvalue"#),
            (#"VAR=some\tvalue"#, #"some\tvalue"#),
            // Blanks, names and separators.
            ("  VAR = VAL  ", "VAL"), ("export VAR=VAL", "VAL"), ("export\tVAR=VAL", "VAL"), ("VAR: VAL", "VAL"),
            ("VAR=", ""), ("VAR= # comment", ""), ("VAR=#1", "#1"), ("VAR='a'# comment", "a"), ("VAR=a=b", "a=b"),
            ("VAR=\u{A0}\"VAL\"", "VAL"), ("VAR=\u{200B}VAL", "VAL"), ("VAR=a\tb\t# comment", "a\tb"),
            ("\u{FEFF}VAR=VAL", "VAL"), ("# a\r\nVAR=VAL\r\n", "VAL"), ("VAR='VAL'\r\n", "VAL"), ("VAR=VAL\r", "VAL"),
            ("# a\n\u{FEFF}VAR=VAL", "VAL"), ("VAR=1\nVAR=VAL", "VAL"),
            // Lines and quotes.
            ("VAR=\"a\nb\"", "a\nb"), ("VAR='a\r\nb'", "a\nb"), (#"VAR="a\\nb""#, #"a\nb"#), (#"VAR="a\qb""#, #"a\qb"#),
            ("VAR='a\"b'", "a\"b"), ("VAR=it's", "it's"), (#"VAR=^(?<org>\d+)~$"#, #"^(?<org>\d+)~$"#),
            // Dollars.
            ("VAR=a$$b", "a$b"), ("VAR=\"a$$b\"", "a$b"), (#"VAR="a\$HOME""#, "a$HOME"), ("VAR=a$", "a$"),
            ("VAR=$1,$2", "$1,$2"), ("VAR=a$|b", "a$|b"), ("A=x\nVAR=$A-${A}", "x-x"), ("A=x\nVAR=\"${A}\"", "x"),
            ("VAR=${A:-y}", "y"), ("A=\nVAR=${A:-y}${A-z}", "y"), ("VAR=${A-y}", "y"), ("VAR=${A:-}", ""),
            ("A=x\nVAR=${A:+y}${A+z}", "yz"), ("A=\nVAR=${A:+y}${A+z}", "z"), ("VAR=${A:+y}${A+$B}", ""),
            ("A=x\nVAR=${A:?no}${A?no}", "xx"), ("A=\nVAR=y${A?no}", "y"), ("A=x\nVAR=${B:-${C-$A}y}z", "xyz"),
            ("VAR=${A:-{\"b\": {}}}", #"{"b": {}}"#), (#"VAR="${A:-a\tb}""#, "a\tb"),
            (#"VAR="\0123\012\q\c""#, #"S\012\q\c"#),
            (#"VAR="a\\$$\$b""#, #"a\$$b"#), ("VAR=${A:-$$}", "$"), ("VAR='${A:-y}$$'", "${A:-y}$$"),
            ("VAR:VAL", "VAL"), ("VAR:\"VAL\"", "VAL"), ("VAR=https://host", "https://host"),
            ("a[1].b-c=1\nVAR=VAL", "VAL"),
        ] as [(String, String)])
    func `a value is what Compose reads`(_ text: String, _ value: String) throws {
        #expect(try read(text)["VAR"] == value)
    }

    @Test func `a variable of the environment wins, also where a value names it`() throws {
        #expect(try read("A=1\nB=$A", under: ["A": "0"]) == ["A": "0", "B": "0"])
        // A name alone takes its value from the environment, or has none.
        #expect(try read("A\nexport A\nB=1\nC\nexport C \n C", under: ["A": "0"]) == ["A": "0", "B": "1"])
        #expect(try read("A\u{A0}=1", under: ["A": "0"]) == ["A": "0"])
    }

    @Test func `names followed by what nobody sees are the settings, with a warning`() throws {
        let text = "LIVEKIT_API_KEY =key\nLIVEKIT_API_SECRET\u{A0}=secret\n\u{200B}ORG_ID\u{FEFF}=acme\u{A0}\n"
        var reader = SettingsReader(try read(text))
        let settings = Settings(&reader)
        #expect(reader.problems == [])
        #expect(try settings.liveKitKeys.read() == [KeyPair(key: "key", secret: Secret("secret"))])
        #expect(settings.organizationID == "acme")
        #expect(
            reader.warnings.map { $0.prefix { $0 != ":" } } == ["LIVEKIT_API_SECRET", "ORG_ID", "ORG_ID"])
    }

    @Test(
        arguments: [
            ("A=1\nnon sense\n", "line 2: expected NAME=value; a name"), ("=1", "line 1: expected NAME=value; a name"),
            ("A=1\n\nB C=1", "line 3: expected NAME=value; a name"),
            ("A\u{A0}B=hunter2", "line 1: expected NAME=value; a name"),
            ("A\u{200B}B=hunter2", "line 1: expected NAME=value; a name"),
            ("https://hunter2", "line 1: expected NAME=value; a name"),
            ("A=\"x\ny\nB=hunter2", "line 1: the quote is not closed"), ("A=\"", "line 1: the quote is not closed"),
            ("A=1\nB='hunter2", "line 2: the quote is not closed"),
            ("A='x' hunter2", "line 1: something follows the closing quote that is no comment"),
            ("A='x'hunter2", "line 1: something follows the closing quote that is no comment"),
            ("A=1\nB=hun$ter2", "line 2: $ is followed by what is no variable that is set;"),
            ("A=\"hun${ter2}\"", "line 1: $ is followed by what is no variable that is set;"),
            ("A=hun${ter2", "line 1: $ is followed by what is no variable that is set;"),
            ("A=${B!hunter2}", "line 1: $ is followed by what is no variable that is set;"),
            ("A=${B:}hunter2", "line 1: $ is followed by what is no variable that is set;"),
            ("A=${B:-${ter2}}", "line 1: $ is followed by what is no variable that is set;"),
            ("A=hun${B:-{ter2}", "line 1: $ is followed by what is no variable that is set;"),
            ("A=hun${}ter2", "line 1: $ is followed by what is no variable that is set;"),
            ("A=x\nB=hunter2${C:?set \u{1B}$A}", "line 2: C has no value: set ?x"),
            ("A=${C?}", "line 1: C has no value"),
            (
                "A=" + String(repeating: "${A:-", count: 30) + "hunter2" + String(repeating: "}", count: 30),
                "line 1: more than 20 variables stand in the defaults of each other"
            ),
            ("A=1\rB=hunter2", "line 1: a carriage return inside of the line; end lines with LF"),
        ] as [(String, String)])
    func `what is not understood is an error with its line, and shows no value`(_ text: String, _ message: String)
        throws
    {
        let found = try fault(Array(text.utf8))
        #expect(found.hasPrefix(message), "\(found)")
        #expect(!found.contains("hunter2") && !found.contains("ter2"))
    }

    @Test func `other encodings are an error with their line`() throws {
        let text = "A=1\nB=ü\n"
        let little = text.utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
        let big = text.utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
        #expect(try fault([0xFF, 0xFE] + little) == "line 1: the file is UTF-16; save it as UTF-8")
        #expect(try fault([0xFE, 0xFF] + big) == "line 1: the file is UTF-16; save it as UTF-8")
        #expect(try fault(little).hasPrefix("line 1: a zero byte"))
        #expect(try fault(Array("A=1\nB=".utf8) + [0xFC, 0x0A]).hasPrefix("line 2: bytes that are no UTF-8"))
    }
}
