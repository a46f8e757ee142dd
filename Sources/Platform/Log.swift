import Glibc
import Synchronization
import Wire

/// Structured log lines on one file descriptor. Messages are constants; data goes into fields.
///
/// Any thread may log, and none waits for the reader: the thread `log` writes the lines. Lines that nobody reads in
/// time are dropped and counted, and one line reports how many. A line below the level costs one load and one comparison.
/// A field never holds a secret. Characters that a terminal would obey, or that reorder text, are escaped in both formats.
package final class Log: Sendable {
    /// The severity of a line. A log writes the lines of its own level and above.
    package enum Level: Int, Sendable, Comparable, CaseIterable {
        case debug, info, warning, error
        package static func < (a: Level, b: Level) -> Bool { a.rawValue < b.rawValue }
        package var name: String { "\(self)" }
    }

    package enum Format: String, Sendable, CaseIterable { case json, text }

    /// The value of a field.
    package enum Value: Sendable, Equatable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
        ExpressibleByBooleanLiteral
    {
        case string(String)
        case int(Int)
        case double(Double)
        case bool(Bool)

        package init(stringLiteral value: String) { self = .string(value) }
        package init(integerLiteral value: Int) { self = .int(value) }
        package init(booleanLiteral value: Bool) { self = .bool(value) }
        /// A duration in whole milliseconds. The field's name ends with `_ms`.
        package static func milliseconds(_ duration: Duration) -> Value { .int(Int(duration.milliseconds)) }
        /// The description of an error or another value.
        package static func text(_ value: some CustomStringConvertible) -> Value { .string(value.description) }
    }

    /// The fields of a line, in the order in which they are written.
    package typealias Fields = KeyValuePairs<String, Value>

    private let levels: LevelSwitch
    private let kept: RecentLines
    private let format: Format
    private let time: any TimeSource
    private let writer: LineWriter
    private let throttles = Mutex<[String: Throttle]>([:])
    /// The number of messages, with their reasons, that are throttled separately. Each takes some 100 bytes.
    private static let maxThrottles = 500
    /// A field of every line. Nil if there is none.
    private let mark: (name: String, value: String)?

    private struct Throttle {
        var nextAt: MonotonicTime
        var hidden: Int
    }

    package init(level: Level, format: Format, time: any TimeSource = SystemTime(), file: Int32 = STDERR_FILENO) {
        levels = LevelSwitch(level)
        self.format = format
        self.time = time
        mark = nil
        let kept = RecentLines()
        self.kept = kept
        writer = LineWriter(to: file, name: "log") { lost in
            let message: StaticString = "log lines were lost: nobody read them in time, or they could not be written"
            let (fields, now): (Fields, Timestamp) = (["lines": .int(lost)], time.now())
            kept.note(Self.recentLine(.warning, message, fields, hidden: 0, at: now))
            return Self.line(.warning, message, fields, hidden: 0, format, at: now)
        }
    }

    private init(_ log: Log, mark: (name: String, value: String)) {
        levels = log.levels
        kept = log.kept
        format = log.format
        time = log.time
        writer = log.writer
        self.mark = mark
    }

    /// The same log for one of several like parts: every line has this field, and is throttled by itself.
    package func marked(_ name: String, _ value: String) -> Log { Log(self, mark: (name, value)) }

    /// The level in effect. All marked logs share it.
    package var level: Level { levels.current }

    /// Switches debug lines on; when they are on, goes back to the level that was configured. Any thread may call it, at
    /// any time. A line says what is in effect. Returns the level in effect.
    @discardableResult
    package func toggleDebug() -> Level {
        let level = levels.toggle()
        // Whoever switches wants to know, whatever the configured level is.
        if level > .debug {
            write(.info, "debug logging is off: SIGUSR1 switches it on", ["log_level": .string(level.name)])
        } else if levels.configured == .debug {
            write(.info, "debug logging stays on: LOG_LEVEL is debug, so SIGUSR1 changes nothing", [:])
        } else {
            write(.info, "debug logging is on: another SIGUSR1 switches it off", ["log_level": .string(level.name)])
        }
        return level
    }

    /// The last lines at warning or above, of this log and all logs that share it, the newest first. A throttled line that
    /// was left out is not among them.
    package var recent: [Line] { kept.all }

    /// The number of lines that were dropped.
    package var linesDropped: Int { writer.dropped }

    /// Waits until all lines so far are written or dropped. Returns false if that takes too long or nobody reads them.
    @discardableResult
    package func flush(by deadline: MonotonicTime, patience: Duration = LineWriter.Limits.patience) -> Bool {
        writer.flush(by: deadline, patience: patience)
    }

    /// Writes the lines so far, as `flush` does, and closes the log. Later lines are dropped.
    @discardableResult
    package func close(by deadline: MonotonicTime, patience: Duration = LineWriter.Limits.patience) -> Bool {
        writer.close(by: deadline, patience: patience)
    }

    /// A line per batch or per event, for debugging.
    package func debug(_ message: StaticString, _ fields: @autoclosure () -> Fields = [:]) {
        if level <= .debug { write(.debug, message, fields()) }
    }
    /// A line about the life cycle or the configuration.
    package func info(_ message: StaticString, _ fields: @autoclosure () -> Fields = [:]) {
        if level <= .info { write(.info, message, fields()) }
    }
    /// A line about something that is degraded but handled.
    package func warning(_ message: StaticString, _ fields: @autoclosure () -> Fields = [:]) {
        if level <= .warning { write(.warning, message, fields()) }
    }
    /// A line about something on which somebody must act.
    package func error(_ message: StaticString, _ fields: @autoclosure () -> Fields = [:]) {
        write(.error, message, fields())
    }

    /// A line that may repeat. It is written once per `interval` for each message and reason. The next one says in the
    /// field `hidden` how many were left out. Beyond 500 pairs of message and reason, new reasons of a message share
    /// one throttle.
    package func throttled(
        _ level: Level, every interval: Duration = .seconds(30), by reason: String = "", _ message: StaticString,
        _ fields: @autoclosure () -> Fields = [:]
    ) {
        guard self.level <= level else { return }
        let now = time.monotonic()
        let hidden: Int? = throttles.withLock { throttles in
            var key = "\(message) \(reason)"
            if throttles[key] == nil && throttles.count >= Self.maxThrottles { key = "\(message)" }
            if var throttle = throttles[key], now < throttle.nextAt {
                throttle.hidden += 1
                throttles[key] = throttle
                return nil
            }
            let hidden = throttles[key]?.hidden ?? 0
            throttles[key] = Throttle(nextAt: now + interval, hidden: 0)
            return hidden
        }
        guard let hidden else { return }
        write(level, message, fields(), hidden: hidden)
    }

    private func write(_ level: Level, _ message: StaticString, _ fields: Fields, hidden: Int = 0) {
        let now = time.now()
        if level >= .warning { kept.note(Self.recentLine(level, message, fields, mark, hidden: hidden, at: now)) }
        writer.write(Self.line(level, message, fields, mark, hidden: hidden, format, at: now))
    }

    private static func recentLine(
        _ level: Level, _ message: StaticString, _ fields: Fields, _ mark: (name: String, value: String)? = nil,
        hidden: Int, at now: Timestamp
    ) -> Line {
        var text = mark.map { "\($0.name)=\(plain(.string($0.value)))" } ?? ""
        for (key, value) in fields where text.utf8.count < Line.Limits.fields_bytes {
            text += "\(text.isEmpty ? "" : " ")\(key)=\(plain(value))"
        }
        return Line(at: now, level: level, message: "\(message)", fields: text, hidden: hidden)
    }

    private static func line(
        _ level: Level, _ message: StaticString, _ fields: Fields, _ mark: (name: String, value: String)? = nil,
        hidden: Int, _ format: Format, at now: Timestamp
    ) -> [UInt8] {
        var line: [UInt8] = []
        line.reserveCapacity(256)
        let at = CivilTime(now).description
        switch format {
        case .json:
            line.append(contentsOf: #"{"ts":""#.utf8)
            line.append(contentsOf: at.utf8)
            line.append(contentsOf: #"","level":""#.utf8)
            line.append(contentsOf: level.name.utf8)
            line.append(contentsOf: #"","msg":"#.utf8)
            JSONText.append("\(message)", to: &line)
            if let mark { append(mark.name, .string(mark.value), to: &line) }
            for (key, value) in fields { append(key, value, to: &line) }
            if hidden > 0 { append("hidden", .int(hidden), to: &line) }
            line.append(UInt8(ascii: "}"))
        case .text:
            line.append(contentsOf: "\(at) \(level.name) \(message)".utf8)
            if let mark { line.append(contentsOf: " \(mark.name)=\(plain(.string(mark.value)))".utf8) }
            for (key, value) in fields { line.append(contentsOf: " \(key)=\(plain(value))".utf8) }
            if hidden > 0 { line.append(contentsOf: " hidden=\(hidden)".utf8) }
        }
        line.append(UInt8(ascii: "\n"))
        return line
    }

    private static func append(_ key: String, _ value: Value, to line: inout [UInt8]) {
        line.append(UInt8(ascii: ","))
        JSONText.append(key, to: &line)
        line.append(UInt8(ascii: ":"))
        switch value {
        case .string(let text): JSONText.append(text, to: &line)
        case .int(let number): line.append(contentsOf: String(number).utf8)
        case .double(let number): line.append(contentsOf: (number.isFinite ? "\(number)" : "null").utf8)
        case .bool(let flag): line.append(contentsOf: (flag ? "true" : "false").utf8)
        }
    }

    private static func plain(_ value: Value) -> String {
        switch value {
        case .string(let text):
            var quoted: [UInt8] = []
            JSONText.append(text, to: &quoted)
            return String(decoding: quoted, as: UTF8.self)
        case .int(let number): return String(number)
        case .double(let number): return String(number)
        case .bool(let flag): return String(flag)
        }
    }
}
