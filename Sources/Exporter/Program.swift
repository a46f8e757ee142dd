import Glibc
import Platform

/// The program from its first word to its exit status.
package enum Program {
    /// Exit statuses. https://man.openbsd.org/sysexits
    enum Status {
        static let done: Int32 = 0
        static let failed: Int32 = 1
        static let usage: Int32 = 64
        static let configuration: Int32 = 78
    }

    /// Runs one command. Call it from the main thread, with the signals blocked.
    /// - Parameters:
    ///   - arguments: without the program's name.
    ///   - environment: the variables of the process.
    ///   - simulate: runs `lkpush simulate`, which lives beside this target.
    package static func run(
        arguments: [String], environment: [String: String],
        simulate: (_ arguments: [String], _ environment: [String: String]) -> Int32
    ) -> Int32 {
        let words: CommandLine
        var environment = environment
        do throws(CommandLine.Misuse) {
            words = try CommandLine(arguments)
        } catch {
            Terminal.printError("lkpush: \(error)\n")
            return Status.usage
        }
        if let file = words.environmentFile {
            do throws(EnvironmentFile.Unusable) {
                environment = try EnvironmentFile.read(file, under: environment)
            } catch {
                Terminal.printError("lkpush: \(error)\n")
                return Status.configuration
            }
        }
        switch words.command {
        case .help:
            Terminal.printLine(HelpText.text, terminator: "")
            return Status.done
        case .version:
            Terminal.printLine("lkpush \(Version.number)")
            return Status.done
        case .simulate(let flags): return simulate(flags, environment)
        case .serve, .check, .migrate: break
        }

        var reader = SettingsReader(environment)
        let settings = Settings(&reader)
        guard reader.problems.isEmpty else {
            let count = reader.problems.count
            Terminal.printError("lkpush: the configuration has \(count) problem\(count == 1 ? "" : "s"):\n")
            for problem in reader.problems { Terminal.printError("  \(problem)\n") }
            return Status.configuration
        }
        let log = Log(level: settings.logLevel, format: settings.logFormat)
        defer { log.close(by: SystemTime().monotonic() + lastWords) }
        switch words.command {
        case .check: return Check.run(settings, rows: reader.rows, log: log) ? Status.done : Status.failed
        case .migrate: return migrate(settings)
        default: return serve(settings, log: log)
        }
    }

    /// How long the last lines of the log may take to somebody who reads them slowly.
    private static let lastWords = Duration.seconds(5)
}
