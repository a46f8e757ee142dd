import TestSupport

/// Where a program dies while a day goes through it: all of it follows from a seed.
struct KillPlan: Sendable, CustomStringConvertible {
    /// How a life ends.
    enum Blow: Sendable {
        case kill
        /// In good order, and ended before the next start.
        case terminate
        /// SIGTERM, and a kill in the middle of stopping.
        case terminateThenKill(after: Duration)
    }

    /// One death.
    enum Stroke: Sendable {
        /// So long after so many posts were begun.
        case underway(posts: Int, Duration, Blow)
        /// So long after the start before it, wherever that start has come to.
        case startingUp(Duration)
        /// In a life of its own, at its call with this number that changes a file, unless that life ends before.
        case atDisk(call: Int, FaultyDisk.Death)
    }

    let seed: UInt64
    /// How many posts of the day are sent.
    let length: Int
    let connections: Int
    let pace: Duration
    let strokes: [Stroke]

    /// Nobody dies.
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
            // The first three are always kills; later ones are of every kind.
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
