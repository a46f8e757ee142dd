package import Wire

/// The journal, and the disk that it is on.
package struct JournalStatus: StatusObject {
    package var durability = ""
    package var isUp: Bool?
    package var error = ""
    package var action = ""
    package var events = 0
    package var commit: Double?
    package var size_bytes = 0
    package var max_bytes = 0
    package var snapshot: Timestamp?
    package var snapshot_bytes = 0
    package var snapshotError = ""
    package var diskFree_bytes: Int?
    package var diskSize_bytes: Int?
    package var directory = ""

    package init() {}

    package mutating func visit<Visitor: StatusVisitor>(_ visitor: inout Visitor) throws(Visitor.Fault) {
        try visitor.field("durability", &durability, "DURABILITY")
        try visitor.field("up", &isUp, "whether it can be written; null where there is none")
        try visitor.field("error", &error, "why it cannot be written; empty while it can")
        try visitor.field("action", &action, "what to do; empty while it can")
        try visitor.field("events_total", &events, "events committed")
        try visitor.field(
            "commit_seconds", &commit,
            "mean time of a commit over the last minute; null where there was none")
        try visitor.field("size_bytes", &size_bytes, "what it takes on disk")
        try visitor.field("size_max_bytes", &max_bytes, "JOURNAL_MAX_BYTES")
        try visitor.field(
            "snapshot_timestamp_seconds", &snapshot,
            "when the last snapshot was made, Unix seconds; null before the first")
        try visitor.field("snapshot_size_bytes", &snapshot_bytes, "its size")
        try visitor.field("snapshot_error", &snapshotError, "why the last one could not be saved; empty where it could")
        try visitor.field(
            "disk_free_bytes", &diskFree_bytes,
            "what may still be written to the file system of STATE_DIR; null where that is not known")
        try visitor.field("disk_size_bytes", &diskSize_bytes, "the size of that file system")
        try visitor.field("directory", &directory, "STATE_DIR")
    }
}
