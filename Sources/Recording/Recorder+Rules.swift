extension Recorder {
    /// The number of the rules that this program applies to new inputs. What the program before wrote counts as 1.
    package static let rules = 2

    /// Applies an input under the rules that it was noted with.
    package mutating func apply(_ input: Input, rules: Int, into actions: inout [Action]) {
        apply(input, into: &actions)
    }
}
