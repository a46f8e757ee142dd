import Glibc
import Platform

// First of all: no file may get the descriptors 0 to 2, and every thread that starts later inherits the signal mask.
StandardFiles.occupy()
Signals.block()
exit(Program.run(Array(ProcessArguments.current.dropFirst())))
