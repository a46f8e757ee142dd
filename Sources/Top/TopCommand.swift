import Glibc
import HTTPClient
import Platform
import Wire

/// `lkpush top`: a live picture of a running lkpush.
package enum TopCommand {
    /// The exit statuses, after `sysexits.h`.
    enum Exit {
        static let good: Int32 = 0
        static let noAnswer: Int32 = 1
        static let usage: Int32 = 64
        static let software: Int32 = 70
        static let output: Int32 = 74
    }

    /// Runs the command. Returns the exit status. Call it on the main thread before another one is started, because it
    /// takes the signals.
    ///
    /// - Parameters:
    ///   - arguments: the arguments after `top`.
    ///   - environment: the variables of the process, with those of `--env-file`.
    package static func run(arguments: [String], environment: [String: String]) -> Int32 {
        let options: TopOptions
        do throws(TopOptions.ArgumentFault) {
            options = try TopOptions(arguments: arguments, environment: environment)
        } catch {
            for sentence in error.sentences { Terminal.printError("lkpush top: \(sentence)\n") }
            return Exit.usage
        }
        let isTerminal = Terminal.isTerminal(STDOUT_FILENO) && !["", "dumb"].contains(environment["TERM"] ?? "")
        let isPicture = isTerminal && !options.isOnce && !options.isJSON
        TopSignals.block(isPicture: isPicture)
        let asker: StatusAsker
        do throws(TransportError) {
            var settings = TransportOptions()
            settings.network = NetworkEnvironment(environment)
            settings.connectTimeout = StatusAnswer.Limits.timeout
            asker = StatusAsker(try Transport(settings), options.url)
        } catch {
            Terminal.printError("lkpush top: \(error)\n")
            return Exit.software
        }
        let hasColors = isTerminal && (environment["NO_COLOR"] ?? "").isEmpty
        let glyphs = Glyphs(environment: environment)
        if isPicture {
            return TopScreenLoop(options, asker, glyphs, hasColors: hasColors).run()
        }
        return TopLineLoop(options, asker, glyphs, isTerminal: isTerminal, hasColors: hasColors).run()
    }
}
