import Glibc
import Platform

// The first things: nothing may get the descriptors 0 to 2, and every thread that starts later inherits the mask.
StandardFiles.occupy()
Signals.block()
exit(Program.run(Array(CommandLine.arguments.dropFirst())))
