package import Wire

// The stored form of reports; `proto/journal.proto` describes it. Organizations are in the order of their ids.

extension Report {
    /// The kind of a report. Its number is written.
    private enum Kind: StoredEnumeration {
        case activity, recordings, presence, licenses, recent, usageTable
        static let inStoredOrder: [Kind] = [
            .activity, .recordings, .presence, .licenses, .recent, .usageTable,
        ]
    }

    /// Appends the fields of the report.
    package func encode(into writer: inout MessageWriter) {
        switch self {
        case .activity(let window, let figures):
            writer.field(1, Kind.activity)
            writer.field(2, window.rawValue)
            for (id, figure) in figures.sorted(by: { $0.key < $1.key }) {
                writer.figure(id, figure.uniqueUsers, figure.online_seconds)
            }
        case .recordings(let window, let figures):
            writer.field(1, Kind.recordings)
            writer.field(2, window.rawValue)
            for (id, figure) in figures.sorted(by: { $0.key < $1.key }) {
                writer.figure(id, figure.completed, figure.duration_seconds)
            }
        case .presence(let figures):
            writer.field(1, Kind.presence)
            for (id, count) in figures.sorted(by: { $0.key < $1.key }) { writer.figure(id, count, 0) }
        case .licenses(let all):
            writer.field(1, Kind.licenses)
            for organization in all { writer.message(4) { organization.encode(into: &$0) } }
        case .recent(let ids):
            writer.field(1, Kind.recent)
            for id in ids.sorted() { writer.figure(id, 0, 0) }
        case .usageTable(let isUsable):
            writer.field(1, Kind.usageTable)
            writer.field(5, isUsable)
        }
    }

    /// Reads a report to the end of its message. Throws if its window is unknown.
    package init(from reader: inout MessageReader) throws(MessageFault) {
        var kind = Kind.activity
        var days = 0
        var figures: [(id: String, count: Int, seconds: Double)] = []
        var organizations: [Organization] = []
        var isUsable = false
        while let field = try reader.next() {
            switch field {
            case 1: kind = try reader.enumeration()
            case 2: days = try reader.int()
            case 3: figures.append(try reader.figure())
            case 4:
                var message = try reader.message()
                organizations.append(try Organization(from: &message))
            case 5: isUsable = try reader.bool()
            default: try reader.skip()
            }
        }
        func window() throws(MessageFault) -> Window {
            guard let window = Window(rawValue: days) else { throw MessageFault("a report has no known window") }
            return window
        }
        func table<Value>(_ value: (Int, Double) -> Value) -> [String: Value] {
            Dictionary(figures.map { ($0.id, value($0.count, $0.seconds)) }) { _, last in last }
        }
        switch kind {
        case .activity:
            self = .activity(try window(), table { Activity(uniqueUsers: $0, online_seconds: $1) })
        case .recordings:
            self = .recordings(try window(), table { Recordings(completed: $0, duration_seconds: $1) })
        case .presence: self = .presence(table { count, _ in count })
        case .licenses: self = .licenses(organizations)
        case .recent: self = .recent(Set(figures.map(\.id)))
        case .usageTable: self = .usageTable(isUsable: isUsable)
        }
    }
}

extension MessageWriter {
    /// Writes a report's figures for one organization.
    fileprivate mutating func figure(_ id: String, _ count: Int, _ seconds: Double) {
        message(3) { writer in
            writer.field(1, id)
            writer.field(2, count)
            writer.field(3, seconds)
        }
    }
}

extension MessageReader {
    fileprivate mutating func figure() throws(MessageFault) -> (id: String, count: Int, seconds: Double) {
        var reader = try message()
        var figure = (id: "", count: 0, seconds: 0.0)
        while let field = try reader.next() {
            switch field {
            case 1: figure.id = try reader.string()
            case 2: figure.count = try reader.int()
            case 3: figure.seconds = try reader.double()
            default: try reader.skip()
            }
        }
        return figure
    }
}
