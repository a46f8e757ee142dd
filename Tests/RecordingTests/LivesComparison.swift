import Testing

/// Runs sequences through recorder and model, and keeps what is not equal.
struct LivesComparison {
    /// Compares after every event, not only after the last.
    var isComparingEach = false
    private var recorder = LivesRecorder()
    private var number = 0
    private var failures = 0
    /// Shortest failing sequences by the kinds of their events.
    private var shortest: [String: LivesSequence] = [:]

    /// Sequences that share a recorder, each with a room of its own: making one takes longer than a sequence.
    private static let sharing = 200
    /// Failures that are made short.
    private static let shrinks = 200

    mutating func run(_ sequence: LivesSequence) {
        if number % Self.sharing == 0 { recorder = LivesRecorder() }
        number += 1
        // A sequence takes less than 90 s.
        let beginning_s = Int64(number % Self.sharing) * 90
        recorder.forgetRows()
        let isEqual =
            Self.difference(
                sequence, &recorder, number: number, from: beginning_s, each: isComparingEach) == nil
        if isEqual { return }
        failures += 1
        if failures > Self.shrinks { return }
        let short = Self.shrunk(sequence)
        shortest[short.steps.map { "\($0.what)\($0.person)" }.joined(separator: " ")] = short
    }

    /// Records one issue with the shortest failures, where there are any.
    func report(_ source: String) {
        if failures == 0 { return }
        let some = shortest.values.sorted { ($0.steps.count, "\($0)") < ($1.steps.count, "\($1)") }.prefix(5)
        let texts = some.map { "\($0)\n\(Self.alone($0) ?? "    equal alone, different beside others")" }
        Issue.record(
            """
            \(source): \(failures) of \(number) sequences differ. The shortest:
            \(texts.joined(separator: "\n"))
            """)
    }

    /// Drops events while the rest still differs.
    private static func shrunk(_ sequence: LivesSequence) -> LivesSequence {
        var sequence = sequence
        var index = 0
        while index < sequence.steps.count {
            var shorter = sequence
            shorter.steps.remove(at: index)
            if alone(shorter) == nil {
                index += 1
            } else {
                sequence = shorter
                index = 0
            }
        }
        return sequence
    }

    /// What differs in a recorder of its own, after the first event where anything does.
    private static func alone(_ sequence: LivesSequence) -> String? {
        var recorder = LivesRecorder()
        return difference(sequence, &recorder, number: 0, from: 0, each: true)
    }

    private static func difference(
        _ sequence: LivesSequence, _ recorder: inout LivesRecorder, number: Int, from beginning_s: Int64, each: Bool
    ) -> String? {
        var model = LivesModel()
        let before = recorder.figures
        let inputs = sequence.inputs(number: number, from: beginning_s)
        for (index, input) in inputs.enumerated() {
            recorder.take(input.event, receivedAt: input.receivedAt)
            model.take(input.event, receivedAt: input.receivedAt)
            guard each || index == inputs.count - 1 else { continue }
            let found = recorder.figures.since(before)
            let right = model.figures
            if found != right {
                return """
                        after event \(index + 1) the text: \(right)
                                     the recorder: \(found)
                    """
            }
        }
        return nil
    }
}
