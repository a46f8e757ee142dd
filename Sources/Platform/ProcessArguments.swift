/// The arguments of this process.
///
/// Swift's `CommandLine.arguments` looks for them in memory, with the help of `/proc`. It is empty where `/proc` is not
/// mounted, and where a preloaded library such as libfaketime has moved the environment. A command line that seems empty
/// means `serve`, so a program that was asked to look would start serving. These arguments come from the C library
/// itself, and are there in every case.
package enum ProcessArguments {
    /// A copy of all words, the name of the program first.
    package static var current: [String] {
        precondition(count >= 0, "the C library calls what stands in .init_array with the arguments")
        guard let words else { return [] }
        return (0..<Int(count)).compactMap { words[$0].map { String(cString: $0) } }
    }
}

private typealias Words = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>

/// Both are written once, before `main` begins and before there is a second thread, and are only read from then on.
nonisolated(unsafe) private var count: Int32 = -1
nonisolated(unsafe) private var words: Words?

private func take(_ number: Int32, _ arguments: Words?, _ environment: Words?) {
    count = number
    words = arguments
}

/// A function that glibc calls before `main`, with the arguments of `main`.
/// https://refspecs.linuxfoundation.org/elf/gabi4+/ch5.dynamic.html#init_fini
@section(".init_array") @used
private let atStart: @convention(c) (Int32, Words?, Words?) -> Void = take
