import Glibc
import Platform

// The first thing: every thread that starts later inherits the mask.
Signals.block()
exit(Program.run(Array(CommandLine.arguments.dropFirst())))
