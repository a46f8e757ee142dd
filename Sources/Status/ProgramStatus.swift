package import Wire

/// A route of the private listener.
package struct RouteStatus: StatusObject {
    package var path = ""
    package var help = ""

    package init() {}

    package mutating func visit<Visitor: StatusVisitor>(_ visitor: inout Visitor) throws(Visitor.Fault) {
        try visitor.field("path", &path, "the path")
        try visitor.field("help", &help, "what it answers")
    }
}

/// The process.
package struct ProgramStatus: StatusObject {
    package var version = ""
    package var instance = ""
    package var job = ""
    package var environment = ""
    package var region = ""
    package var project = ""
    package var started = Timestamp.absent
    package var processID = 0
    package var cpu: Double?
    package var resident_bytes = 0
    package var openFiles = 0
    package var maxFiles = 0
    package var logLevel = ""
    package var logLinesDropped = 0
    package var series = 0
    package var maxSeries = 0
    package var seriesRefused = 0
    package var lastSeriesRefused: Timestamp?
    package var clocks: [ClockStatus] = []

    package init() {}

    package mutating func visit<Visitor: StatusVisitor>(_ visitor: inout Visitor) throws(Visitor.Fault) {
        try visitor.field("version", &version, "the version of lkpush")
        try visitor.field("instance", &instance, "the label instance")
        try visitor.field("job", &job, "the label job")
        try visitor.field("environment", &environment, "the label environment; empty where nothing is pushed")
        try visitor.field("region", &region, "the label region")
        try visitor.field("project", &project, "the label project")
        try visitor.field("started_timestamp_seconds", &started, "when the process started, Unix seconds")
        try visitor.field("process_id", &processID, "the id of the process")
        try visitor.field(
            "cpu_ratio", &cpu,
            "processor time of the last seconds, 1 is a whole core; null before it is known")
        try visitor.field("resident_memory_bytes", &resident_bytes, "memory, bytes")
        try visitor.field("open_fds", &openFiles, "open descriptors")
        try visitor.field("max_fds", &maxFiles, "the most descriptors that the system allows")
        try visitor.field("log_level", &logLevel, "the level of the log; SIGUSR1 switches debug on and off")
        try visitor.field("log_lines_dropped_total", &logLinesDropped, "log lines given up")
        try visitor.field("series", &series, "series of the registry")
        try visitor.field("series_max", &maxSeries, "MAX_SERIES")
        try visitor.field("series_refused_total", &seriesRefused, "series refused because MAX_SERIES was reached")
        try visitor.field(
            "last_series_refused_timestamp_seconds", &lastSeriesRefused,
            "when one was refused last, Unix seconds; null where none was")
        try visitor.field("clocks", &clocks, "how far other clocks are from this one")
    }
}

/// A clock that was compared with that of this machine.
package struct ClockStatus: StatusObject {
    package var peer = ""
    package var ahead = 0.0

    package init() {}

    package mutating func visit<Visitor: StatusVisitor>(_ visitor: inout Visitor) throws(Visitor.Fault) {
        try visitor.field("against", &peer, "livekit, receiver or database")
        try visitor.field(
            "ahead_seconds", &ahead,
            "how far this machine is ahead for certain; negative if it is behind")
    }
}

/// A line of the log.
package struct LogMessageStatus: StatusObject {
    package var at = Timestamp.absent
    package var level = ""
    package var message = ""
    package var fields = ""
    package var hidden = 0

    package init() {}

    package mutating func visit<Visitor: StatusVisitor>(_ visitor: inout Visitor) throws(Visitor.Fault) {
        try visitor.field("timestamp_seconds", &at, "when, Unix seconds")
        try visitor.field("level", &level, "warning or error")
        try visitor.field("message", &message, "what is wrong")
        try visitor.field("fields", &fields, "the fields of the line, as text")
        try visitor.field("hidden", &hidden, "the same lines that were left out before it")
    }
}

/// A setting in effect.
package struct SettingStatus: StatusObject {
    package var name = ""
    package var value = ""
    package var isDefault = false

    package init() {}

    package mutating func visit<Visitor: StatusVisitor>(_ visitor: inout Visitor) throws(Visitor.Fault) {
        try visitor.field("name", &name, "the variable")
        try visitor.field("value", &value, "the value in effect; a secret is masked")
        try visitor.field("default", &isDefault, "whether it is the default")
    }
}
