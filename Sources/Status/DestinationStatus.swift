package import Wire

/// A receiver of remote write, and what waits for it.
package struct DestinationStatus: StatusObject {
    package var name = ""
    package var url = ""
    package var state = DestinationState.unknown
    package var message = ""
    package var lastSuccess: Timestamp?
    package var lastAnswer: AnswerStatus?
    package var waitingSince: Timestamp?
    package var cause = ""
    package var action = ""
    package var setting = ""
    package var failures = 0
    package var backoff = 0.0
    package var samplesPerSecond: Double?
    package var pending = 0
    package var oldestPending = 0.0
    package var accepted = 0
    package var rejected = 0
    package var dropped = 0
    package var ambiguous = 0
    package var lastLoss: Timestamp?
    package var queue_bytes = 0
    package var queueMax_bytes = 0
    package var shards = 0
    package var spool: SpoolStatus?
    package var plots: [Plot] = []

    package init() {}

    package mutating func visit<Visitor: StatusVisitor>(_ visitor: inout Visitor) throws(Visitor.Fault) {
        try visitor.field("name", &name, "the label destination")
        try visitor.field("url", &url, "the address, without its secret parts")
        try visitor.field("state", &state, "see *States*")
        try visitor.field("remote_write", &message, "the version of remote write that is sent: 1.0 or 2.0")
        try visitor.field(
            "last_success_timestamp_seconds", &lastSuccess,
            "when it last took samples, Unix seconds; null before the first time")
        try visitor.field(
            "last_answer", &lastAnswer,
            "its last answer, or the failure to get one; null before the first request")
        try visitor.field(
            "unanswered_since_timestamp_seconds", &waitingSince,
            "when the oldest request under way was sent, Unix seconds; null where none is")
        try visitor.field("cause", &cause, "what is wrong; empty while all is well")
        try visitor.field("action", &action, "what to do")
        try visitor.field("setting", &setting, "the variables concerned")
        try visitor.field("failures", &failures, "failed requests since the last success")
        try visitor.field("backoff_seconds", &backoff, "the wait before the next attempt")
        try visitor.field(
            "samples_per_second", &samplesPerSecond,
            "samples taken, over the last 30 s; null before it is known")
        try visitor.field("samples_pending", &pending, "samples that wait or are under way")
        try visitor.field("oldest_pending_seconds", &oldestPending, "the age of the oldest of them")
        try visitor.field("samples_accepted_total", &accepted, "samples taken since the start")
        try visitor.field("samples_rejected_total", &rejected, "samples refused for good")
        try visitor.field("samples_dropped_total", &dropped, "samples given up before they could be sent")
        try visitor.field("samples_ambiguous_total", &ambiguous, "samples refused that may have been stored before")
        try visitor.field(
            "last_loss_timestamp_seconds", &lastLoss,
            "when samples were last lost, Unix seconds; null where none was")
        try visitor.field("queue_bytes", &queue_bytes, "memory of what waits")
        try visitor.field("queue_max_bytes", &queueMax_bytes, "the most memory for it")
        try visitor.field("shards", &shards, "requests that may run at once")
        try visitor.field("spool", &spool, "what waits on disk; null where there is no spool")
        try visitor.field("plots", &plots, "the last 15 minutes of it, on the grid of `history`")
    }
}

/// The outcome of a request.
package struct AnswerStatus: StatusObject {
    package var at = Timestamp.absent
    package var status = 0
    package var text = ""
    package var took = 0.0

    package init() {}

    package mutating func visit<Visitor: StatusVisitor>(_ visitor: inout Visitor) throws(Visitor.Fault) {
        try visitor.field("timestamp_seconds", &at, "when, Unix seconds")
        try visitor.field("status", &status, "the HTTP status; 0 where no answer came")
        try visitor.field("text", &text, "the beginning of its body, or the failure")
        try visitor.field("duration_seconds", &took, "from the request to the answer")
    }
}

/// The samples that wait on disk for a receiver.
package struct SpoolStatus: StatusObject {
    package var size_bytes = 0
    package var max_bytes = 0
    package var samples = 0
    package var oldest: Timestamp?
    package var isReserveReached = false
    package var error = ""
    package var lasts: Double?

    package init() {}

    package mutating func visit<Visitor: StatusVisitor>(_ visitor: inout Visitor) throws(Visitor.Fault) {
        try visitor.field("size_bytes", &size_bytes, "what it takes")
        try visitor.field("size_max_bytes", &max_bytes, "SPOOL_MAX_BYTES")
        try visitor.field("samples", &samples, "samples in it")
        try visitor.field(
            "oldest_timestamp_seconds", &oldest,
            "the time of the oldest sample, Unix seconds; null where it is empty")
        try visitor.field("reserve_reached", &isReserveReached, "whether the disk has no room to spare")
        try visitor.field("error", &error, "why it cannot be used; empty while it can")
        try visitor.field(
            "lasts_seconds", &lasts,
            "how long an outage may last before samples are lost; null before it is known")
    }
}

/// The state of a destination.
package enum DestinationState: String, StatusWord {
    case unknown
    /// No request has been answered yet.
    case starting
    /// The last request was accepted.
    case accepting
    /// A request has been under way for longer than 5 s.
    case unanswered
    /// The last request failed: samples wait and are sent again.
    case retrying
    /// The credentials were refused: samples wait.
    case held
    /// The last request was refused for good: its samples are lost.
    case refusing
}
