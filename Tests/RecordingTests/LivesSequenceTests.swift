import LiveKit
import Platform
import Testing

/// The recorder beside the plain model of the Specification, *Lives*, over sequences of up to five events of one room
/// with two people and one track each.
///
/// `LIVES_RUNS` is the number of generated sequences of five, 20,000 by default, and `LIVES_SEED` chooses them. Of some
/// 25,000 others one differs: an event tells a version that contradicts its time, or an earlier life of an earlier life
/// matters, of which the recorder remembers only one. `LIVES_LENGTH=4` enumerates all sequences of that length; 3 is
/// the default.
@Suite struct LivesSequenceTests {
    private static func number(_ variable: String) -> UInt64? {
        ProcessEnvironment.current[variable].flatMap { UInt64($0) }
    }

    @Test func `every short sequence leaves what the text says`() {
        var comparison = LivesComparison()
        // What a sequence does before its last event, a shorter one has shown.
        for length in 1...Int(Self.number("LIVES_LENGTH") ?? 3) {
            for (isOneIdentity, creation_ms) in [(false, nil), (true, 900 as Int64?)] {
                LivesSequence.enumerate(length: length, over: LivesSequence.alphabet) { sequence in
                    var sequence = sequence
                    sequence.isOneIdentity = isOneIdentity
                    sequence.creation_ms = creation_ms
                    comparison.run(sequence)
                }
            }
        }
        LivesSequence.enumerate(length: 4, over: LivesSequence.core) { comparison.run($0) }
        comparison.report("enumerated")
    }

    @Test func `every sequence of five, late, again, on two nodes and with skew, leaves what the text says`() {
        let runs = Self.number("LIVES_RUNS") ?? 20_000
        let seed = Self.number("LIVES_SEED") ?? 1
        print("LIVES_SEED=\(seed) LIVES_RUNS=\(runs)")
        var random = SplitMix(seed: seed)
        var comparison = LivesComparison()
        comparison.isComparingEach = true
        for _ in 0..<runs { comparison.run(LivesSequence(&random)) }
        comparison.report("LIVES_SEED=\(seed) LIVES_RUNS=\(runs)")
    }

    @Test func `to the plain model a fact that comes again at once under a new id is nothing new`() {
        var random = SplitMix(seed: 7)
        for number in 0..<3_000 {
            let sequence = LivesSequence(&random)
            var once = LivesModel()
            var twice = LivesModel()
            for (index, input) in sequence.inputs(number: number, from: 0).enumerated() {
                once.take(input.event, receivedAt: input.receivedAt)
                twice.take(input.event, receivedAt: input.receivedAt)
                // A second start of a life is told from a node that crashed by nothing.
                if sequence.steps[index].what == .roomStarted { continue }
                var again = input.event
                again.id += " again"
                twice.take(again, receivedAt: input.receivedAt)
                guard once.figures != twice.figures else { continue }
                Issue.record("after event \(index + 1) of\n\(sequence)\n\(once.figures)\n\(twice.figures)")
                return
            }
        }
    }
}
