package import Wire

/// Whether lkpush works, and what to do if not.
package struct HealthStatus: StatusObject {
    package var state = HealthState.unknown
    package var isReady = false
    package var obstacles: [String] = []
    package var problems: [Problem] = []

    package init() {}

    package mutating func visit<Visitor: StatusVisitor>(_ visitor: inout Visitor) throws(Visitor.Fault) {
        try visitor.field(
            "state", &state,
            "healthy: nothing to do; degraded: something is wrong; failing: something is lost or refused now")
        try visitor.field("ready", &isReady, "whether webhooks are taken: the answer of /readyz")
        try visitor.field("not_ready", &obstacles, "why they are not taken")
        try visitor.field("problems", &problems, "what is wrong, the worst first")
    }
}

/// One thing that is wrong, with what it costs and what to do.
package struct Problem: StatusObject {
    package var name = ""
    package var severity = Severity.unknown
    package var subject = ""
    package var since = Timestamp.absent
    package var what = ""
    package var cost = ""
    package var action = ""
    package var alert = ""

    package init() {}

    package mutating func visit<Visitor: StatusVisitor>(_ visitor: inout Visitor) throws(Visitor.Fault) {
        try visitor.field("name", &name, "stable, snake_case")
        try visitor.field(
            "severity", &severity,
            "critical: something is lost or refused now; warning: it will be, or is late")
        try visitor.field(
            "subject", &subject,
            "the destination, reason or peer concerned; empty where there is one only")
        try visitor.field("since_timestamp_seconds", &since, "when it was noticed first, Unix seconds")
        try visitor.field("what", &what, "the cause")
        try visitor.field("cost", &cost, "what it costs")
        try visitor.field("action", &action, "what to do")
        try visitor.field(
            "alert", &alert,
            "the alert of the shipped rules, and its section of the runbook; empty where there is none")
    }
}

/// The sum of all problems.
package enum HealthState: String, StatusWord { case unknown, healthy, degraded, failing }

/// How urgent a problem is.
package enum Severity: String, StatusWord { case unknown, warning, critical }
