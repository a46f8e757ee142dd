/// The options of the command line.
struct Options {
    /// The flags are invalid.
    struct FlagFault: Error, CustomStringConvertible {
        let description: String
    }

    enum Mode {
        case measure
        /// Compares allocations with the thresholds.
        case check
        case list
        case help
        /// Reports the resident memory of a running exporter, and the bytes per series and participant.
        case memory
        /// Runs as the exporter whose memory is measured.
        case serve
    }

    var mode = Mode.measure
    /// Only cases whose name contains this text are run.
    var filter = ""
    var isJSON = false

    static let help = """
        Usage: lkpush-bench [--filter TEXT] [--json] [--check | --memory | --list | --help]

        Measures each case: time and allocations of one operation, and a plain lower bound in the same run.

          --filter TEXT  only cases whose name holds TEXT
          --json         one JSON object per line instead of a table
          --check        exit 1 where a case allocates more than is kept in Thresholds.swift
          --memory       resident memory of a pushing exporter, bytes per series and per participant
          --list         names of the cases
          --help         this text

        Build it for release: swift build -c release --product lkpush-bench

        """

    init(_ arguments: [String]) throws(FlagFault) {
        var rest = arguments[...]
        while let word = rest.popFirst() {
            switch word {
            case "--filter":
                guard let text = rest.popFirst() else { throw FlagFault(description: "--filter wants a text") }
                filter = text
            case "--json": isJSON = true
            case "--check": mode = .check
            case "--memory": mode = .memory
            case "--list": mode = .list
            case "--help", "-h": mode = .help
            case "--serve": mode = .serve
            default: throw FlagFault(description: "unknown argument \(word), see --help")
            }
        }
    }
}
