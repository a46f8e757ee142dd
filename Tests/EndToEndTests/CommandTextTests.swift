import Platform
import TestSupport
import Testing

/// The texts about the command line that the built program prints.
@Suite struct CommandTextTests {
    private static let commands = [
        "serve", "check", "migrate", "migrate-journal", "report", "simulate", "top", "completion", "man", "version",
        "help",
    ]

    private func run(_ arguments: [String]) -> (status: Int32, output: String) {
        ChildProcess.run(BuiltProgram.executable, arguments)
    }

    @Test func `help is at most 80 columns wide, and that of a command is about this command`() {
        let whole = run(["help"])
        #expect(whole.status == 0 && whole.output.contains("\n  SHUTDOWN_TIMEOUT [10s]\n"))
        for command in Self.commands where command != "help" {
            let (status, output) = run([command, "--help"])
            #expect(status == 0 && output.hasPrefix("lkpush \(command): "), "\(command)")
            #expect(!output.contains("SHUTDOWN_TIMEOUT [10s]") && output.contains("\nusage: lkpush \(command)"))
            #expect(output == run(["help", command]).output && output == run([command, "-h"]).output)
            #expect(output.split(separator: "\n").allSatisfy { $0.count <= 80 }, "\(output)")
            #expect(whole.output.contains("\n  \(command) "))
        }
        #expect(whole.output.split(separator: "\n").allSatisfy { $0.count <= 80 })
    }

    @Test func `wrong words end with 64 and a line each`() {
        for words in [["chek"], ["check", "--rom", "x"], ["completion", "fish"], ["help", "me"], ["top", "--x"]] {
            let (status, output) = run(words)
            #expect(status == 64 && output.hasPrefix("lkpush") && output.split(separator: "\n").count == 1, "\(output)")
        }
        let version = run(["version"])
        #expect(version.status == 0 && version.output.hasPrefix("lkpush "))
        #expect(run(["-V"]).output == version.output && run(["--version"]).output == version.output)
    }

    @Test(.enabled(if: PrivateNames.isAllowed, "mounting needs root"))
    func `no word of the command line is lost where /proc is not mounted`() throws {
        let executable = BuiltProgram.executable
        let version = run(["version"]).output
        let nothing = TemporaryFolder()
        try PrivateNames(folders: [(nothing.path, "/proc")]).run {
            #expect(ChildProcess.run(executable, ["version"]).output == version)
            #expect(ChildProcess.run(executable, ["chek"]).status == 64)
            #expect(ChildProcess.run(executable, ["--env-file", "/none"]).output.contains("/none"))
        }
    }

    @Test(.enabled(if: WrongClock.isInstalled, "deploy/packages test: faketime"))
    func `no word of the command line is lost when a preloaded library moves the environment`() {
        // libfaketime does so where it removes a variable.
        let words = ["LD_PRELOAD", "FAKETIME"]
        let environment = WrongClock.environment(ahead: 7_200).filter { words.contains($0.key) }
        #expect(ChildProcess.run(BuiltProgram.executable, ["chek"], environment: environment).status == 64)
    }

    @Test func `man reads the manual page without a warning, and it has every command, flag and setting`() throws {
        let folder = TemporaryFolder()
        let page = run(["man"])
        #expect(page.status == 0)
        try FileStore.replace(folder.file("lkpush.1"), with: Array(page.output.utf8))
        let shown = ChildProcess.run(
            "/usr/bin/man", ["--warnings", "-E", "UTF-8", "-P", "cat", "-l", folder.file("lkpush.1")],
            environment: ["PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "MANWIDTH": "80", "MANROFFOPT": "-c"])
        #expect(shown.status == 0 && !shown.output.contains("warning"), "\(shown.output.prefix(2_000))")
        let lines = shown.output.split(separator: "\n").map(String.init)
        #expect(lines.allSatisfy { $0.count <= 80 })
        for command in Self.commands {
            #expect(lines.contains("   lkpush \(command)"), "\(command)")
            let flags = run([command, "--help"]).output.split(separator: "\n")
                .compactMap { $0.hasPrefix("  --") ? $0.split(separator: " ").first : nil }
            for flag in flags { #expect(lines.contains { $0.contains("       \(flag)") }, "\(command) \(flag)") }
        }
        let settings = run(["help"]).output.split(separator: "\n").drop { !$0.hasPrefix("Settings") }
            .filter { $0.hasPrefix("  ") && !$0.hasPrefix("   ") }.compactMap { $0.split(separator: " ").first }
        #expect(settings.count > 60)
        for setting in settings { #expect(lines.contains { $0.hasPrefix("       \(setting)") }, "\(setting)") }
    }

    @Test(arguments: ["bash", "zsh"])
    func `a shell takes the script of its completion`(shell: String) throws {
        let folder = TemporaryFolder()
        let script = run(["completion", shell])
        #expect(script.status == 0)
        try FileStore.replace(folder.file("script"), with: Array(script.output.utf8))
        let read = ChildProcess.run("/usr/bin/\(shell)", ["-n", folder.file("script")])
        #expect(read.status == 0 && read.output.isEmpty, "\(read.output)")
    }
}
