import Exporter
import Glibc
import Platform
import Simulation
import Top

// The first things: nothing may get the descriptors 0 to 2, and every thread that starts later inherits the mask.
StandardFiles.occupy()
Signals.block()
exit(
    Program.run(
        arguments: Array(ProcessArguments.current.dropFirst()), environment: ProcessEnvironment.current,
        simulate: (
            SimulateCommand.syntax,
            { arguments, environment, newestSigner in
                SimulateCommand.run(arguments: arguments, environment: environment, newestSigner: newestSigner)
            }
        ),
        top: (
            TopCommand.syntax,
            { arguments, environment in TopCommand.run(arguments: arguments, environment: environment) }
        )))
