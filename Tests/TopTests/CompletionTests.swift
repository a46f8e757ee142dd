import Glibc
import Platform
import TestSupport
import Testing

/// The completion of commands and flags, by the Tab key of real shells in a terminal.
@Suite struct CompletionTests {
    /// What is typed before Tab, and what stands there after it.
    private static let endings = [
        ("lkpush ch", "lkpush check"), ("lkpush comp", "lkpush completion"),
        ("lkpush completion z", "lkpush completion zsh"), ("lkpush check --ro", "lkpush check --room"),
        ("lkpush help mig", "lkpush help migrate"), ("lkpush simulate --end op", "lkpush simulate --end open"),
        ("lkpush simulate --end=op", "lkpush simulate --end=open"), ("lkpush top --js", "lkpush top --json"),
        ("lkpush --env-file sett", "lkpush --env-file settings.env"),
        ("lkpush --env-file settings.env mig", "lkpush --env-file settings.env migrate"),
        ("lkpush check --env-file sett", "lkpush check --env-file settings.env"),
    ]

    /// Runs a shell in a folder that has a file `settings.env`, with `lkpush` in its path.
    private static func press(_ shell: [String], _ first: String) throws {
        let folder = TemporaryFolder()
        try FileStore.replace(folder.file("settings.env"), with: [])
        let programs = BuiltProgram.executable.split(separator: "/").dropLast().map { "/\($0)" }.joined()
        let terminal = try PseudoTerminal(
            shell, rows: 100, columns: 100,
            environment: ["PATH": "\(programs):/usr/bin:/bin", "HOME": folder.file(""), "PS1": "> ", "TERM": "dumb"])
        terminal.type("cd '\(folder.file(""))'; PS1='> '; \(first); echo rea''dy\n")
        #expect(terminal.shows("ready"), "\(terminal.text)")
        for (typed, expected) in endings {
            // The line is emptied and entered after each attempt, so the next begins with a new one. Ctrl-C is no key: it
            // interrupts the completion where a busy shell is still at it, and leaves the line.
            terminal.type(typed + "\t")
            try #require(
                terminal.shows { $0.lines.last { $0.contains("lkpush") }?.contains("> \(expected)") == true },
                "\(typed): \(terminal.screen.lines.filter { !$0.isEmpty }.suffix(4))")
            terminal.type("\u{15}\n")
            #expect(
                terminal.shows {
                    $0.lines.last { !$0.allSatisfy { $0 == " " } }.map { $0.hasPrefix(">") && !$0.contains("lkpush") }
                        == true
                })
        }
    }

    @Test func `bash completes what was begun`() throws {
        try Self.press(
            ["/usr/bin/bash", "--norc", "--noprofile", "-i"], "source <(lkpush completion bash)")
    }

    @Test func `zsh completes what was begun`() throws {
        try Self.press(
            ["/usr/bin/zsh", "-f", "-i"],
            "unsetopt prompt_sp prompt_cr; autoload -Uz compinit; compinit -D -u; "
                + "source <(lkpush completion zsh)")
    }
}

/// The form of the log, where nothing sets it.
@Suite struct LogFormatTests {
    @Test func `the log is text in a terminal and JSON elsewhere`() throws {
        let folder = TemporaryFolder()
        var environment = BuiltProgram.environment(folder)
        // No machine has this address, so the start ends at once. https://www.rfc-editor.org/rfc/rfc5737
        environment["LISTEN"] = "192.0.2.1:9"
        let terminal = try PseudoTerminal([BuiltProgram.executable], columns: 200, environment: environment)
        #expect(terminal.end() == 1)
        #expect(terminal.text.contains("lkpush starts") && !terminal.text.contains("{"), "\(terminal.text)")
        let (status, output) = ChildProcess.run(BuiltProgram.executable, [], environment: environment)
        #expect(status == 1 && output.split(separator: "\n").allSatisfy { $0.hasPrefix("{") }, "\(output)")
    }
}
