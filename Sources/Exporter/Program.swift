import Glibc
package import LiveKit
package import Platform

/// The program, from its arguments to its exit status.
package enum Program {
    /// Exit statuses. https://man.openbsd.org/sysexits
    enum Status {
        static let done: Int32 = 0
        static let failed: Int32 = 1
        static let usage: Int32 = 64
        static let configuration: Int32 = 78
    }

    /// Runs `lkpush simulate`.
    package typealias Simulate = (
        _ arguments: [String], _ environment: [String: String], _ newestSigner: @escaping () -> TokenSigner?
    ) -> Int32

    /// Runs one command. Call it from the main thread, with the signals blocked.
    /// - Parameters:
    ///   - arguments: the arguments without the program's name.
    ///   - environment: the variables of the process.
    ///   - simulate: declares and runs `lkpush simulate`, which is in another target. It signs with the newest signer.
    ///   - top: declares and runs `lkpush top`, which is in another target.
    package static func run(
        arguments: [String], environment: [String: String], simulate: (syntax: CommandSyntax, run: Simulate),
        top: (syntax: CommandSyntax, run: (_ arguments: [String], _ environment: [String: String]) -> Int32)
    ) -> Int32 {
        let words: CommandLine
        var environment = environment
        do throws(CommandLine.CommandFault) {
            words = try CommandLine(arguments)
        } catch {
            for line in error.description.split(separator: "\n") { Terminal.printError("lkpush: \(line)\n") }
            return Status.usage
        }
        if let text = text(of: words.command, Commands.all(with: [simulate.syntax, top.syntax])) {
            Terminal.printLine(text, terminator: "")
            return Status.done
        }
        if let file = words.environmentFile {
            do throws(EnvironmentFile.EnvironmentError) {
                environment = try EnvironmentFile.read(file, under: environment)
            } catch {
                Terminal.printError("lkpush: \(CommandFlag.environmentFile.name): \(error)\n")
                return Status.configuration
            }
        }
        switch words.command {
        case .simulate(let flags):
            let keys = SimulationKeys(environment)
            if let problem = keys.problem(given: flags) {
                Terminal.printError("lkpush: \(problem)\n")
                return Status.configuration
            }
            return simulate.run(flags, keys.environment) { keys.newestSigner }
        case .top(let flags): return top.run(flags, environment)
        case .report(let options): return UsageCommand.run(options, environment)
        case .serve, .check, .migrate, .migrateJournal, .adoptJournal, .completion, .manual, .version, .help: break
        }

        var reader = SettingsReader(environment, isTerminal: Terminal.isTerminal(STDERR_FILENO))
        let settings = Settings(&reader)
        guard reader.problems.isEmpty else {
            let count = reader.problems.count
            Terminal.printError("lkpush: the configuration has \(count) problem\(count == 1 ? "" : "s"):\n")
            for problem in reader.problems { Terminal.printError("  \(problem)\n") }
            // A name that nobody reads is often what the missing setting was meant to be.
            for warning in reader.warnings { Terminal.printError("  warning: \(warning)\n") }
            return Status.configuration
        }
        let log = Log(level: settings.logLevel, format: settings.logFormat)
        defer { log.close(by: SystemTime().monotonic() + lastWords) }
        if case .check(let room) = words.command {
            return Check.run(settings, reader, room: room, log: log) ? Status.done : Status.failed
        }
        if words.command == .migrate {
            for warning in reader.warnings { Terminal.printError("lkpush: warning: \(warning)\n") }
            return migrate(settings)
        }
        if case .migrateJournal(let direction, let isTrial) = words.command {
            for warning in reader.warnings { Terminal.printError("lkpush: warning: \(warning)\n") }
            return MoveCommand.run(direction, isTrial: isTrial, settings)
        }
        if words.command == .adoptJournal { return MoveCommand.adopt(settings) }
        for warning in reader.warnings {
            log.warning("a part of the configuration is not in effect as it was given", ["setting": .string(warning)])
        }
        return serve(settings, reader.rows, log: log)
    }

    /// The output of a command that only prints. Nil for any other command.
    private static func text(of command: CommandLine.Command, _ commands: [CommandSyntax]) -> String? {
        switch command {
        case .help(of: let name):
            commands.first { $0.name == name }?.help ?? HelpText.text(commands)
        case .version: "lkpush \(Version.number)\n"
        case .completion(let shell): CompletionScript.text(for: shell, commands)
        case .manual: ManualPage.text(commands)
        case .serve, .check, .migrate, .migrateJournal, .adoptJournal, .report, .simulate, .top: nil
        }
    }

    /// The time for the last lines of the log if their reader is slow.
    private static let lastWords = Duration.seconds(5)
}
