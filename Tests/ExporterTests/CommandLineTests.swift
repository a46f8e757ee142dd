import Exporter
import Platform
import Storage
import TestSupport
import Testing

@Suite struct CommandLineTests {
    private func fault(_ words: [String]) -> String? {
        do throws(CommandLine.CommandFault) {
            _ = try CommandLine(words)
            return nil
        } catch {
            return error.description
        }
    }

    @Test func `without words it serves`() throws {
        let table: [([String], CommandLine.Command)] = [
            ([], .serve), (["serve"], .serve), (["check"], .check(room: nil)), (["migrate"], .migrate),
            (["migrate-journal", "--to-shared"], .migrateJournal(.toShared, isTrial: false)),
            (["migrate-journal", "--adopt"], .adoptJournal),
            (["migrate-journal", "--dry-run", "--to-embedded"], .migrateJournal(.toEmbedded, isTrial: true)),
            (["check", "--room", "daily"], .check(room: "daily")), (["check", "--room=a=b"], .check(room: "a=b")),
            (["report"], .report(UsageOptions())),
            (
                ["report", "--month", "2026-11", "--org", "a", "--org=b", "--format", "csv"],
                .report(
                    UsageOptions(
                        month: .named(try #require(CalendarMonth("2026-11"))), organizations: ["a", "b"], format: .csv))
            ), (["report", "--month=last"], .report(UsageOptions(month: .last))),
            (["completion", "zsh"], .completion(.zsh)), (["man"], .manual),
            (["simulate", "--orgs", "3"], .simulate(["--orgs", "3"])), (["top", "h:1"], .top(["h:1"])),
            (["version"], .version), (["--version"], .version), (["-V"], .version), (["check", "-V"], .version),
            (["help"], .help(of: nil)), (["help", "check"], .help(of: "check")), (["--help"], .help(of: nil)),
            (["-h"], .help(of: nil)), (["-h", "check"], .help(of: "check")), (["help", "-h"], .help(of: nil)),
            (["top", "--note", "a", "--help"], .help(of: "top")),
        ]
        for (words, command) in table { #expect(try CommandLine(words).command == command, "\(words)") }
    }

    @Test func `a file of settings may be named before and after every command`() throws {
        for name in Commands.names where !["help", "completion", "migrate-journal"].contains(name) {
            for words in [["--env-file", "x", name], [name, "--env-file", "x"], [name, "--env-file=x"]] {
                #expect(try CommandLine(words).environmentFile == "x", "\(words)")
            }
        }
        #expect(try CommandLine(["top", "--env-file", "x", "h:1"]).command == .top(["h:1"]))
        #expect(try CommandLine(["top", "--", "--env-file"]).command == .top(["--", "--env-file"]))
    }

    @Test func `every command has help`() throws {
        for name in Commands.names {
            for words in [[name, "--help"], [name, "-h"], ["help", name], ["--help", name]] where name != "help" {
                #expect(try CommandLine(words).command == .help(of: name), "\(words)")
            }
        }
    }

    @Test(
        arguments: [
            (["chek"], "chek: no such command. Did you mean check? See lkpush help"),
            (["tpo"], "tpo: no such command. Did you mean top? See lkpush help"),
            (["comp"], "comp: no such command. Did you mean completion? See lkpush help"),
            (["-v"], "-v: no such flag. Did you mean --version? Settings are environment variables. See lkpush help"),
            (["nonsense"], "nonsense: no such command. See lkpush help"),
            (["--port=3"], "--port=3: no such flag. Settings are environment variables. See lkpush help"),
            (
                ["--env_file=x"],
                "--env_file=x: no such flag. Did you mean --env-file? Settings are environment variables. See lkpush help"
            ),
            (["check", "serve"], "serve: expected a flag. See lkpush check --help"),
            (["migrate", "now"], "now: lkpush migrate takes no argument. See lkpush migrate --help"),
            (["migrate-journal"], "migrate-journal needs one of --to-shared, --to-embedded and --adopt"),
            (
                ["migrate-journal", "--to-shared", "--to-embedded"],
                "migrate-journal needs one of --to-shared, --to-embedded and --adopt"
            ),
            (["check", "--rom", "x"], "--rom: no such flag. Did you mean --room? See lkpush check --help"),
            (["check", "--room"], "--room: needs a value"), (["check", "--room="], "--room needs the name of a room"),
            (
                ["serve", "--hlep", "--port"],
                """
                --hlep: no such flag. Did you mean --help? See lkpush serve --help
                --port: no such flag. See lkpush serve --help
                """
            ),
            (["report", "--month", "2026-13"], "--month 2026-13: expected a month such as 2026-11, or last"),
            (["report", "--month", "2026-1"], "--month 2026-1: expected a month such as 2026-11, or last"),
            (["report", "--format", "xml"], "--format xml: expected table or csv or json"),
            (["report", "--org="], "--org needs the id of an organization"),
            (["report", "november"], "november: expected a flag. See lkpush report --help"),
            (["completion"], "SHELL is missing. See lkpush completion --help"),
            (["completion", "fish"], "fish: expected bash or zsh. See lkpush completion --help"),
            (["completion", "bsh"], "bsh: expected bash or zsh. Did you mean bash? See lkpush completion --help"),
            (["help", "migrat"], "migrat: expected a command. Did you mean migrate? See lkpush help --help"),
            (["--env-file"], "--env-file needs a file"), (["check", "--env-file="], "--env-file needs a file"),
        ] as [([String], String)])
    func `words that mean nothing are refused with a hint`(words: [String], message: String) {
        #expect(fault(words) == message)
    }

    @Test func `every command and flag is found one letter off`() {
        for name in Commands.names where name.count >= 3 {
            #expect(fault([name + "x"]) == "\(name)x: no such command. Did you mean \(name)? See lkpush help")
            #expect(NearestWord.nearest(to: String(name.dropFirst()), among: Commands.names) == name)
        }
        #expect(NearestWord.nearest(to: "run", among: ["top", "version"]) == nil)
        #expect(NearestWord.nearest(to: "x", among: ["man"]) == nil)
    }

    @Test func `a text is broken at 80 columns, and a row with a wide left side goes on below`() {
        let words = Array(repeating: "word", count: 40).joined(separator: " ")
        let lines = CommandSyntax.wrapped(words, indent: 6)
        #expect(lines.allSatisfy { $0.count <= 80 && $0.hasPrefix("      word") })
        #expect(lines.joined(separator: " ").split(separator: " ").count == 40)
        #expect(lines.dropLast().allSatisfy { $0.count > 75 })
        let wide = String(repeating: "w", count: 30)
        #expect(CommandSyntax.table([("a", "one"), (wide, "two")]) == ["  a  one", "  " + wide, "     two"])
    }

    @Test func `a file sets what the environment leaves open`() throws {
        let folder = TemporaryFolder()
        let path = folder.file("env")
        try FileStore.replace(path, with: Array("# a\nA=1\nexport B=\"two words\"\nC='='\n\nD=\n".utf8))
        #expect(
            try EnvironmentFile.read(path, under: ["A": "0", "E": "5"])
                == ["A": "0", "B": "two words", "C": "=", "D": "", "E": "5"])
        try FileStore.replace(path, with: Array("A=1\nnon sense\n".utf8))
        let fault = #expect(throws: EnvironmentFile.EnvironmentError.self) {
            try EnvironmentFile.read(path, under: [:])
        }
        #expect(fault?.description.hasPrefix("\(path) line 2: expected NAME=value; ") == true)
    }
}
