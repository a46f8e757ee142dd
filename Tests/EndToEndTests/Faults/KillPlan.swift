import TestSupport

/// The points at which a program is killed during a day. All of them follow from a seed.
struct KillPlan: Sendable, CustomStringConvertible {
    /// The way in which a run ends.
    enum Blow: Sendable {
        case kill
        /// The program stops in good order before the next start.
        case terminate
        /// SIGTERM, and a kill while the program stops.
        case terminateThenKill(after: Duration)
    }

    /// One death of the program.
    enum Stroke: Sendable {
        /// After this many posts have begun, and then this long.
        case underway(posts: Int, Duration, Blow)
        /// This long after the last start, at whatever point that start is.
        case startingUp(Duration)
        /// In an additional run, at the call with this number that changes a file, unless that run ends before.
        case atDisk(call: Int, FaultyDisk.Death)
    }

    let seed: UInt64
    /// The number of posts that are sent.
    let length: Int
    let connections: Int
    let pace: Duration
    let strokes: [Stroke]

    /// A plan without any death.
    init(peaceful posts: Int) {
        (seed, length, connections, pace, strokes) = (0, posts, 8, .zero, [])
    }

    init(seed: UInt64, posts: Int) {
        self.seed = seed
        var random = SeededGenerator(seed: seed)
        let length = Int.random(in: posts * 3 / 4...posts, using: &random)
        self.length = length
        connections = Int.random(in: 4...12, using: &random)
        pace = .microseconds(Int.random(in: 0...20_000, using: &random))
        let count = Int.random(in: 3...6, using: &random)
        let places = (0..<count).map { _ in Int.random(in: 1...length * 9 / 10, using: &random) }.sorted()
        var strokes: [Stroke] = []
        for (index, place) in places.enumerated() {
            let delay = Duration.microseconds(Int.random(in: 0...20_000, using: &random))
            // The first three strokes are always kills. Later ones are of every kind.
            let dice = index < 3 ? 0 : Int.random(in: 0..<4, using: &random)
            let blow: Blow =
                switch dice {
                case 1: .terminate
                case 2: .terminateThenKill(after: .microseconds(Int.random(in: 0...30_000, using: &random)))
                default: .kill
                }
            strokes.append(.underway(posts: place, delay, blow))
            switch Int.random(in: 0..<3, using: &random) {
            case 0: strokes.append(.startingUp(.microseconds(Int.random(in: 0...300_000, using: &random))))
            case 1:
                let death = FaultyDisk.Death.allCases.randomElement(using: &random) ?? .before
                strokes.append(.atDisk(call: Int.random(in: 1...200, using: &random), death))
            default: break
            }
        }
        self.strokes = strokes
    }

    var description: String {
        "\(length) posts over \(connections) connections at \(pace): "
            + strokes.map { "\($0)" }.joined(separator: ", ")
    }
}
