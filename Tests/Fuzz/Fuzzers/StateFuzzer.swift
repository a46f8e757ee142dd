import LiveKit
import Metrics
import Recording
import Storage
import Wire

/// Bytes that pretend to be a saved state, or an entry of the journal: they are refused, or what comes of them obeys
/// every law and can be saved and restored again.
struct StateFuzzer: Fuzzer {
    static let name = "state"

    func run(_ bytes: [UInt8]) {
        let rest = Array(bytes.dropFirst())
        switch (bytes.first ?? 0) % 4 {
        case 0: entry(rest, Event.init(from:)) { $0.encode(into: &$1) }
        case 1: entry(rest, StoreRow.init(from:)) { $0.encode(into: &$1) }
        case 2: entry(rest, Input.init(from:)) { $0.encode(into: &$1) }
        default: state(rest)
        }
    }

    /// What was read is written in a form that is read as the same.
    private func entry<Entry>(
        _ bytes: [UInt8], _ read: (inout MessageReader) throws -> Entry,
        _ write: (Entry, inout MessageWriter) -> Void
    ) {
        var reader = MessageReader(bytes)
        guard let entry = try? read(&reader) else { return }
        var first = MessageWriter()
        write(entry, &first)
        var again = MessageReader(first.bytes)
        guard let same = try? read(&again) else { refute("what was written is read") }
        var second = MessageWriter()
        write(same, &second)
        require(first.bytes.count == second.bytes.count, "what was read is what was written")
    }

    private func state(_ bytes: [UInt8]) {
        guard var recorder = Self.recorder(bytes) else { return }
        let faults = recorder.checkInvariants()
        require(faults.isEmpty, faults.joined(separator: "; "))
        var actions: [Action] = []
        recorder.apply(
            .event(Event(id: "E", room: Room(sid: "R", name: "r"), body: .roomStarted), receivedAt: Self.later),
            into: &actions)
        recorder.apply(.time(at: Self.later), into: &actions)
        var writer = MessageWriter()
        recorder.encodeState(into: &writer)
        require(Self.recorder(writer.bytes) != nil, "a state that was saved is restored")
    }

    private static let later = Timestamp(seconds: 1_790_000_000)

    private static func recorder(_ bytes: [UInt8]) -> Recorder? {
        let catalog = Catalog(in: Registry(maxSeries: 5_000), longBuckets: false, project: "p", region: "r")
        let settings = RecorderSettings.usual(.metadata)
        return try? Recorder(
            restoring: MessageReader(bytes), ids: [], keepsTotals: true, settings: settings, catalog: catalog)
    }
}
