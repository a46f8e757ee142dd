import Exporter
import Platform
import TestSupport
import Testing

@Suite struct CommandLineTests {
    @Test func `without words it serves`() throws {
        #expect(try CommandLine([]).command == .serve)
        #expect(try CommandLine(["serve"]).command == .serve)
        #expect(try CommandLine(["check"]).command == .check(room: nil))
        #expect(try CommandLine(["check", "--room", "red"]).command == .check(room: "red"))
        #expect(try CommandLine(["check", "--room=red"]).command == .check(room: "red"))
        #expect(try CommandLine(["--help"]).command == .help)
        #expect(try CommandLine(["migrate", "--env-file", "x"]).environmentFile == "x")
        #expect(try CommandLine(["--env-file=y", "version"]).environmentFile == "y")
        #expect(try CommandLine(["simulate", "--orgs", "3"]).command == .simulate(["--orgs", "3"]))
    }

    @Test(
        arguments: [
            (["chek"], "chek: no such command; is check meant?; see lkpush help"),
            (["--port=3"], "--port=3: no such command; settings are environment variables; see lkpush help"),
            (["check", "serve"], "serve: one command at a time; see lkpush help"),
            (["--env-file"], "--env-file needs a file"),
        ] as [([String], String)])
    func `words that mean nothing are refused with a hint`(words: [String], message: String) {
        #expect(throws: CommandLine.CommandFault(description: message)) { try CommandLine(words) }
    }

    @Test func `a file sets what the environment leaves open`() throws {
        let folder = TemporaryFolder()
        let path = folder.file("env")
        try FileStore.replace(path, with: Array("# a\nA=1\nexport B=\"two words\"\nC='='\n\nD=\n".utf8))
        #expect(
            try EnvironmentFile.read(path, under: ["A": "0", "E": "5"])
                == ["A": "0", "B": "two words", "C": "=", "D": "", "E": "5"])
        try FileStore.replace(path, with: Array("A=1\nnonsense\n".utf8))
        #expect(throws: EnvironmentFile.EnvironmentError(description: "\(path) line 2: expected NAME=value")) {
            try EnvironmentFile.read(path, under: [:])
        }
    }
}
