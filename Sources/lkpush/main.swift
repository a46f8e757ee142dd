import Exporter
import Glibc
import Platform
import Simulation

// The first thing: every thread that starts later inherits the mask.
Signals.block()
exit(
    Program.run(
        arguments: Array(Swift.CommandLine.arguments.dropFirst()), environment: ProcessEnvironment.current,
        simulate: { arguments, environment, newestSigner in
            SimulateCommand.run(arguments: arguments, environment: environment, newestSigner: newestSigner)
        }))
