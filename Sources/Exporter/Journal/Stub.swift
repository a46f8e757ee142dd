import Journal
import Platform
extension Recording.IDSegment { init(kind: Int, latest: Timestamp, bytes: [UInt8]) { self.init(kind: kind, latest: latest, last: 0, bytes: bytes) } }
import Recording
import Wire
import Storage
import Metrics
import LiveKit
package struct StateFault: Error {}
extension Recorder {
    func encodeState(into: inout MessageWriter) {}
    mutating func takeIDs(all: Bool) -> [Recording.IDSegment] { [] }
    init(restoring: MessageReader, ids: [Recording.IDSegment], keepsTotals: Bool, settings: RecorderSettings, catalog: Catalog) throws(StateFault) { throw StateFault() }
    static func expiry(ofKind: Int, settings: RecorderSettings) -> Duration { .zero }
    static var idKinds: Int { 6 }
    mutating func startTotalsAtZero() {}
    mutating func startOwnTotalsAtZero() {}
    var outstandingLookups: [String] { [] }
}
struct SnapshotHeader { var journal: String; var number: Int64; var events: Int64; var inputs: Int64; var rows: Int64; var at: Timestamp; var isClean: Bool }
final class SnapshotFiles: Sendable {
 init(directory: String) {}
 func load(now: Timestamp) throws(JournalError) -> (snapshot: (header: SnapshotHeader, bytes: [UInt8])?, notes: [String]) { (nil, []) }
 func save(_: SnapshotHeader, _: [UInt8]) throws(JournalError) {}
 func setAside(_: SnapshotHeader, now: Timestamp) throws(JournalError) {}
}
final class StateLock { enum O { case taken(StateLock), held(by: String) }; var isInPlace: Bool { true }; func close() {}
 static func take(directory: String) throws(SystemError) -> O { .taken(StateLock()) } }
extension OfficeStore { func openPresence() throws(StoreError) -> [OpenPresence] { [] } }
