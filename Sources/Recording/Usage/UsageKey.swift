import LiveKit

/// The kinds of usage. The raw value is the label value of `usage`, and the first part of a row's `usage`.
enum UsageKind: String, CaseIterable {
    case connection, track, egress, ingress, agent, sip

    /// The place in `allCases`, without searching.
    var ordinal: Int {
        switch self {
        case .connection: 0
        case .track: 1
        case .egress: 2
        case .ingress: 3
        case .agent: 4
        case .sip: 5
        }
    }
}

/// A usage series of an organization: its kind, and the place of its label values.
struct UsageKey: Hashable {
    let kind: UsageKind
    /// For agents the place of the name in the organization's list, else the offset in the labels of the kind.
    let offset: UInt8

    private init(_ kind: UsageKind, _ offset: Int) {
        self.kind = kind
        self.offset = UInt8(offset)
    }

    static func connection(_ kind: Participant.Kind) -> UsageKey { UsageKey(.connection, kind.ordinal) }
    /// - Parameter label: the offset in `MetricLabels.track`.
    static func track(label: Int) -> UsageKey { UsageKey(.track, label) }
    /// - Parameter label: the offset in the labels of the job's gauge.
    static func job(_ kind: JobKind, label: Int) -> UsageKey {
        switch kind {
        case .egress: UsageKey(.egress, label)
        case .ingress: UsageKey(.ingress, label)
        case .agentJob: .agent(label)
        }
    }
    static func agent(_ place: Int) -> UsageKey { UsageKey(.agent, place) }
    static func sip(_ direction: CallDirection) -> UsageKey { UsageKey(.sip, direction.ordinal) }

    /// Finds the key with these label values; nil if this program has no such series.
    init?(_ kind: UsageKind, values: [String], agents: inout NameList) {
        guard let labels = kind.labels else {
            guard values.count == 1 else { return nil }
            self.init(kind, agents.place(of: values[0]))
            return
        }
        guard let offset = labels.combinations.firstIndex(of: values) else { return nil }
        self.init(kind, offset)
    }

    /// The label values of its series, after those of the organization.
    func values(_ agents: NameList) -> [String] {
        kind.labels.map { $0.combinations[Int(offset)] } ?? [agents[Int(offset)]]
    }

    /// The text of the column `usage` of its rows. Tracks of one source share a row, whatever their type.
    func text(_ agents: NameList) -> String { "\(kind.rawValue):\(values(agents)[0])" }
}

extension UsageKind {
    /// The labels with fixed values; nil for agents, whose names are not known beforehand.
    var labels: MetricLabels? {
        switch self {
        case .connection: .kind
        case .track: .track
        case .egress: .requestType
        case .ingress: .inputType
        case .agent: nil
        case .sip: .direction
        }
    }
}

/// The usage series that one entity counts in: one, or two for agents and calls.
struct UsageKeys {
    let first: UsageKey
    var second: UsageKey?

    init(_ first: UsageKey, _ second: UsageKey? = nil) {
        self.first = first
        self.second = second
    }

    func forEach(_ body: (UsageKey) -> Void) {
        body(first)
        if let second { body(second) }
    }
}

/// Label values that strangers choose, each with a place. What does not fit any more is `other`.
struct NameList: Equatable, Sendable {
    /// The place of `other`.
    private static let other = 255
    /// The most names. Specification, "Metrics".
    private static let most = 20

    private(set) var names: [String] = []

    /// Returns the place of a name, which gets one if there is room.
    mutating func place(of name: String) -> Int {
        if let place = names.firstIndex(of: name) { return place }
        guard names.count < Self.most, name != "other" else { return Self.other }
        names.append(name)
        return names.count - 1
    }

    subscript(place: Int) -> String { place < names.count ? names[place] : "other" }
}

extension Participant.Kind {
    /// The offset in `MetricLabels.kind`.
    var ordinal: Int {
        switch self {
        case .standard: 0
        case .ingress: 1
        case .egress: 2
        case .sip: 3
        case .agent: 4
        case .connector: 5
        case .bridge: 6
        case .other: 7
        }
    }

    /// The label value of `kind`.
    var label: String { self == .other ? "unknown" : "\(self)" }
}

extension CallDirection {
    /// The offset in `MetricLabels.direction`.
    var ordinal: Int {
        switch self {
        case .inbound: 0
        case .outbound: 1
        case .unknown: 2
        }
    }
}
