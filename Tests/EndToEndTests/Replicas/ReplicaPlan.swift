import TestSupport

/// The points at which replicas are killed during a day. All of them follow from a seed.
struct ReplicaPlan: Sendable, CustomStringConvertible {
    /// The replica that a stroke hits.
    enum Victim: Sendable, Equatable {
        case leader
        /// One that does not lead, if another one is there.
        case standby
        /// This one, whatever it does.
        case number(Int)
        /// All of them at once.
        case all
    }

    struct Stroke: Sendable {
        /// It comes when this many posts have begun, and then this much later.
        let posts: Int
        let delay: Duration
        let victim: Victim
        /// A stop in good order, and no kill.
        let isOrderly: Bool
        /// The time for which the victim stays away.
        let absence: Duration
        /// The next stroke comes after a replica leads again.
        let awaitsLeader: Bool
    }

    let seed: UInt64
    let length: Int
    let lanes: Int
    let pace: Duration
    let strokes: [Stroke]

    /// A plan without any death.
    init(peaceful posts: Int) { (seed, length, lanes, pace, strokes) = (0, posts, 8, .zero, []) }

    init(seed: UInt64, posts: Int, replicas: Int = 3) {
        self.seed = seed
        var random = SeededGenerator(seed: seed)
        let length = Int.random(in: posts * 3 / 4...posts, using: &random)
        self.length = length
        lanes = Int.random(in: 4...12, using: &random)
        pace = .microseconds(Int.random(in: 0...40_000, using: &random))
        let places = (0..<4).map { _ in Int.random(in: 1...length * 9 / 10, using: &random) }.sorted()
        strokes = places.enumerated().map { index, place in
            // The first one always kills the leader. Later ones are of every kind.
            let dice = index == 0 ? 0 : Int.random(in: 0..<8, using: &random)
            let victim: Victim =
                switch dice {
                case 0...3: .leader
                case 4, 5: .standby
                case 6: .number(Int.random(in: 0..<replicas, using: &random))
                default: .all
                }
            return Stroke(
                posts: place, delay: .microseconds(Int.random(in: 0...300_000, using: &random)), victim: victim,
                isOrderly: index > 0 && Int.random(in: 0..<4, using: &random) == 0,
                absence: .milliseconds(Int.random(in: 0...1_500, using: &random)),
                awaitsLeader: Int.random(in: 0..<3, using: &random) > 0)
        }
    }

    var description: String {
        "\(length) posts in \(lanes) lanes at \(pace): " + strokes.map { "\($0)" }.joined(separator: ", ")
    }
}
