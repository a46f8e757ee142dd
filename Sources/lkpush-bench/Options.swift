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
        /// Compares lkpush with other programs that push.
        case peers
        /// Reports what an outage of the receiver costs.
        case outage
        /// Reports the computing time for a webhook with a shared journal.
        case replicas
        /// Runs as the exporter whose memory is measured.
        case serve
        /// Runs as the exporter that is compared with others.
        case serveMoving
    }

    var mode = Mode.measure
    /// Only cases whose name contains this text are run.
    var filter = ""
    var isJSON = false
    /// The rounds of each comparison with another program.
    var rounds = 7
    /// The readings of an outage: as many as half an hour has.
    var readings = 120

    static let help = """
        Usage: lkpush-bench [--filter TEXT] [--json] [--check | --memory | --peers [--rounds N]
                            | --replicas [--rounds N] | --outage [--readings N] | --list | --help]

        Measures each case: time and allocations of one operation, and a plain lower bound in the same run.

          --filter TEXT  only cases whose name holds TEXT
          --json         one JSON object per line instead of a table
          --check        exit 1 where a case allocates more than is kept in Thresholds.swift
          --memory       resident memory of a pushing exporter, bytes per series and per participant
          --peers        lkpush beside Prometheus 2.42 as an agent and vmagent 1.79 of Debian, all pushing the same
                         samples to a receiver in this process; parts for --filter: cpu equal rate, cpu backlog,
                         office day. Each ratio is lkpush's figure to the other's, with what is promised
          --replicas     the computing time of lkpush for a webhook with the journal in PostgreSQL, beside the embedded
                         one, over --rounds office hours each; starts a PostgreSQL of its own
          --rounds N     rounds of 10 s for each program and run of --peers (7, which take 18 minutes in all)
          --outage       93,000 series and a receiver that is away, with two kills: memory, disk, what was lost; exit 1
                         if anything but a reading for each kill is
          --readings N   readings of the outage of --outage (120, which take 4 minutes in all)
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
            case "--peers": mode = .peers
            case "--replicas": mode = .replicas
            case "--rounds":
                guard let count = rest.popFirst().flatMap({ Int($0) }), count > 0 else {
                    throw FlagFault(description: "--rounds wants a number above 0")
                }
                rounds = count
            case "--outage": mode = .outage
            case "--readings":
                guard let count = rest.popFirst().flatMap({ Int($0) }), count > 2 else {
                    throw FlagFault(description: "--readings wants a number above 2")
                }
                readings = count
            case "--list": mode = .list
            case "--help", "-h": mode = .help
            case "--serve": mode = .serve
            case "--serve-moving": mode = .serveMoving
            default: throw FlagFault(description: "unknown argument \(word), see --help")
            }
        }
    }
}
