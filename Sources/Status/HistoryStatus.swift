package import Wire

/// The grid of all plots, and those of the process.
package struct HistoryStatus: StatusObject {
    package var step = 0.0
    package var end = Timestamp.absent
    package var plots: [Plot] = []

    package init() {}

    package mutating func visit<Visitor: StatusVisitor>(_ visitor: inout Visitor) throws(Visitor.Fault) {
        try visitor.field("step_seconds", &step, "the time between two points")
        try visitor.field("end_timestamp_seconds", &end, "the time of the last point, Unix seconds")
        try visitor.field("plots", &plots, "the plots")
    }
}

/// A figure over the last 15 minutes.
package struct Plot: StatusObject {
    package var name = ""
    package var points: [Double?] = []

    package init() {}

    package mutating func visit<Visitor: StatusVisitor>(_ visitor: inout Visitor) throws(Visitor.Fault) {
        try visitor.field("name", &name, "stable, snake_case, with its unit")
        try visitor.field("points", &points, "the oldest first; null where it was not known")
    }
}
