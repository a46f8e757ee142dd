/// The numbers of a poll, for metrics and the status page.
struct PollFigures: Sendable, Equatable {
    /// What disagrees of one kind of entity.
    struct Drift: Sendable, Equatable {
        /// LiveKit has it, the state has not.
        var missing = 0
        /// The state has it, LiveKit has not.
        var extra = 0
    }

    /// One number for each kind of entity.
    struct Numbers<Value: Sendable & Equatable>: Sendable, Equatable {
        private var values: [Value]

        init(_ value: Value) { values = Array(repeating: value, count: PolledEntity.allCases.count) }

        subscript(entity: PolledEntity) -> Value {
            get { values[entity.place] }
            set { values[entity.place] = newValue }
        }
    }

    var drift = Numbers(Drift())
    /// What only LiveKit has, though it has ended.
    var ghosts = Numbers(0)
    /// Confirmed differences that are not corrected, because answers contradict each other.
    var conflicts = Numbers(0)
}

extension PolledEntity {
    /// Its place in `allCases`.
    fileprivate var place: Int {
        switch self {
        case .room: 0
        case .participant: 1
        case .track: 2
        case .egress: 3
        case .ingress: 4
        }
    }
}
