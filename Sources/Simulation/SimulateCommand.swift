import Glibc
import HTTPClient
import HTTPServing
package import LiveKit
import Platform

/// The command `lkpush simulate`, which sends a simulated office to a running lkpush.
package enum SimulateCommand {
    /// The exit statuses, after `sysexits.h`.
    private enum Exit {
        static let good: Int32 = 0
        static let notAllAccepted: Int32 = 1
        static let usage: Int32 = 64
        static let software: Int32 = 70
        /// A second Ctrl-C ended the program.
        static let interrupted: Int32 = 130
    }

    /// The intervals between progress lines, on a terminal and elsewhere.
    private enum Pace {
        static let terminal = Duration.milliseconds(200)
        static let plain = Duration.seconds(5)
        /// The buffer for progress lines that a terminal does not take: some minutes of them.
        static let buffer_bytes = 64 << 10
    }

    /// Runs the command to its end. Returns the exit status of the program. Progress goes to standard error, the
    /// summary to standard output. Call it on the main thread before another one is started, because it takes SIGINT
    /// and SIGTERM.
    ///
    /// - Parameter newestSigner: returns the signer to use if the arguments give no key. It is asked again and again,
    ///   because keys may change.
    package static func run(
        arguments: [String], environment: [String: String], newestSigner: @escaping () -> TokenSigner? = { nil }
    ) -> Int32 {
        let options: SimulateOptions
        do throws(SimulateOptions.ArgumentFault) {
            options = try SimulateOptions(arguments: arguments, environment: environment)
        } catch {
            for sentence in error.sentences { Terminal.printError("lkpush simulate: \(sentence)\n") }
            return Exit.usage
        }
        Signals.block()
        let simulator: Simulator
        do throws(TransportError) {
            simulator = try Simulator(options, newestSigner: options.givesKey ? { nil } : newestSigner)
        } catch {
            Terminal.printError("lkpush simulate: \(error)\n")
            return Exit.software
        }
        do throws(ServingError) {
            try simulator.serveAPI()
        } catch {
            Terminal.printError("lkpush simulate: --api: \(error)\n")
            return Exit.software
        }
        // This thread lives as long as the program: only a signal can end a wait for signals.
        let stop = simulator.stop
        _ = NamedThread(name: "signals") {
            while Signals.wait() != .stop {}
            stop.raise()
            while Signals.wait() != .stop {}
            _exit(Exit.interrupted)
        }
        return run(simulator, options)
    }

    private static func run(_ simulator: Simulator, _ options: SimulateOptions) -> Int32 {
        let isTerminal = Terminal.columns(of: STDERR_FILENO) != nil
        // A terminal that stands still does not stop the webhooks: progress lines are left out meanwhile.
        let progressLines = LineWriter(to: STDERR_FILENO, name: "progress", capacity_bytes: Pace.buffer_bytes)
        func say(_ text: String) { progressLines.write(Array(text.utf8)) }
        var line = ProgressLine()
        var last: Simulator.Progress?
        let speed = options.speed == options.speed.rounded() ? "\(Int(options.speed))" : "\(options.speed)"
        say("Sending to \(options.url) at \(speed) times the speed of life; Ctrl-C ends it.\n")
        if let api = simulator.apiAddress {
            say("LiveKit's API: http://\(api.host.isEmpty ? "127.0.0.1:\(api.port)" : api.description)\n")
        }
        simulator.run(every: isTerminal ? Pace.terminal : Pace.plain) { simulator, progress in
            last = progress
            // Asked each time, because a window can change its size.
            let text = line.text(simulator.tally, progress, columns: Terminal.columns(of: STDERR_FILENO))
            say(isTerminal ? "\r\(text)\u{1B}[K" : text + "\n")
        }
        if isTerminal { say("\n") }
        progressLines.close(by: SystemTime().monotonic() + LineWriter.Limits.patience)
        guard let last else { preconditionFailure("a run ends with its progress") }
        Terminal.printLine(
            Summary.text(
                simulator.tally, simulator.truth, world: simulator.worldTruth, last, isComplete: simulator.isComplete),
            terminator: "")
        return simulator.tally.isFlawless ? Exit.good : Exit.notAllAccepted
    }
}
