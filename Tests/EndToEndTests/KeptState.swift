import Foundation
import Platform
import TestSupport
import Testing
import Wire

/// A state folder that a version of the program left when it was killed under load, with the truth about it.
///
/// `Data/versions/README.md` describes how they are made. Every folder there is a test, without being named elsewhere.
struct KeptState: CustomTestStringConvertible, Sendable {
    /// The least and the most times that something may be there: as often as it was answered, and as it may have been
    /// taken.
    typealias Bounds = [String: [Int]]

    /// The facts that were recorded about the state.
    struct Truth: Decodable {
        let version: String
        /// Seconds since 1970.
        let killed_at: Int
        /// Counters of `/metrics`, just before the kill.
        let scrape: [String: Double]
        let events: Bounds
        /// Sessions of one minute each, by user.
        let sessions: Bounds
        let recordings: Bounds
    }

    /// The version and the name, such as `0.1.0/tail-only`.
    let testDescription: String

    private static let root = Repository.root + "/Tests/EndToEndTests/Data/versions"

    /// All kept states.
    static let all: [KeptState] = {
        let files = FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? []
        let suffix = ".tar.gz"
        return files.filter { $0.hasSuffix(suffix) }.sorted().map {
            KeptState(testDescription: String($0.dropLast(suffix.count)))
        }
    }()

    /// Unpacks the state into `folder`, under the name `state`.
    func unpack(into folder: TemporaryFolder) throws -> Truth {
        let archive = "\(Self.root)/\(testDescription).tar.gz"
        let done = ChildProcess.run("/bin/tar", ["-xzf", archive, "-C", folder.file("")])
        try #require(done.status == 0, "\(done.output)")
        let bytes = try FileStore.read(folder.file("truth.json"), limit: 16 << 20)
        return try JSONDecoder().decode(Truth.self, from: Data(bytes))
    }

    /// Variables for a program whose clock says that the kill was a minute ago.
    static func environment(_ truth: Truth, in folder: TemporaryFolder) throws -> [String: String] {
        let library = folder.file("libclock.so")
        let path = ProcessEnvironment.current["PATH"] ?? ""
        let compiled = ChildProcess.run(
            "/usr/bin/env",
            ["clang", "-shared", "-fPIC", "-O1", "-o", library, Repository.root + "/Tests/Faults/clock.c"],
            environment: ["PATH": path])
        try #require(compiled.status == 0, "\(compiled.output)")
        let back = Int(SystemTime().now().seconds) - truth.killed_at - 60
        // These settings are those of the program that made the state.
        return [
            "LD_PRELOAD": library, "CLOCK_BACK": "\(back)", "REGION": "local", "ENVIRONMENT": "", "LOG_LEVEL": "info",
            "HISTOGRAM_LONG_BUCKETS": "false",
        ]
    }
}

extension KeptState.Truth {
    /// One line for each counter that is lower than before, or counts more than was sent.
    func differences(from samples: [String: Double]) -> [String] {
        var lines: [String] = []
        // This sorts the labels of each sample.
        let scraped = Exposition.samples(scrape.map { "\($0.key) \($0.value)" }.joined(separator: "\n"))
        if scraped.count != scrape.count { lines.append("\(scraped.count) of \(scrape.count) samples could be read") }
        for (name, value) in scraped.sorted(by: { $0.key < $1.key }) where samples[name] ?? -1 < value {
            lines.append("\(name) was \(value) and is \(samples[name].map { "\($0)" } ?? "gone")")
        }
        for (event, bounds) in events {
            let found = samples["lk_webhook_events_total{event=\"\(event)\"}"] ?? 0
            if found < Double(bounds[0]) || found > Double(bounds[1]) {
                lines.append("\(event): \(found) counted, \(bounds) expected")
            }
        }
        return lines
    }

    /// One line for each row that is missing or comes twice.
    func differences(from database: ApplicationDatabase) throws -> [String] {
        var lines: [String] = []
        let activity = try database.rows(
            """
            SELECT user_id, SUM(session_count), SUM(total_duration_seconds) FROM participant_activity_metrics GROUP BY 1
            """)
        var found: [String: (count: Int, seconds: Double)] = [:]
        for row in activity {
            found[try #require(row[0])] = (Int(row[1] ?? "") ?? -1, Double(row[2] ?? "") ?? -1)
        }
        for (user, bounds) in sessions {
            let (count, seconds) = found[user] ?? (0, 0)
            if count < bounds[0] || count > bounds[1] || seconds != Double(60 * count) {
                lines.append("user \(user): \(count) sessions of \(seconds) s, \(bounds) expected")
            }
        }
        let recorded = try database.rows("SELECT egress_id FROM recordings").compactMap { $0[0] }
        for (name, bounds) in recordings {
            let count = recorded.count { $0 == name }
            if count < bounds[0] || count > bounds[1] { lines.append("\(name): \(count), \(bounds) expected") }
        }
        return lines
    }
}
