import Glibc
import Journal
import JournalSQLite
import Platform
import Wire

/// The cost of a commit, including its fsync, and the speed at which a journal is read at start.
enum JournalCases {
    /// The usual size of an encoded event.
    private static let event = [UInt8](repeating: 7, count: 150)

    static var all: [BenchmarkCase] { [1, 32, 256].map(commit) + [read] }

    /// Commits groups of `size` events. One operation is one event.
    private static func commit(_ size: Int) -> BenchmarkCase {
        BenchmarkCase("journal/groups of \(size)", per: "event") {
            let commits = 20
            let folder = ScratchFolder()
            let journal = open(folder)
            var commit = Commit()
            // The plainest way to make as many bytes durable.
            let file = Glibc.open(folder.path + "/plain", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
            let bytes = [UInt8](repeating: 7, count: size * event.count)
            var position = 0
            return Workload(
                operations: commits * size,
                prepare: {
                    // Deletes what the last run left. At its real frequency this would cost next to nothing.
                    commit.restart(afterEvent: journal.numbers.lastEvent, afterInput: 0)
                    commit.truncation = Truncation(events: journal.numbers.lastEvent)
                    must { () throws(JournalError) in try journal.commit(commit) }
                },
                run: {
                    for _ in 0..<commits {
                        commit.restart(afterEvent: journal.numbers.lastEvent, afterInput: 0)
                        for _ in 0..<size { commit.events.append(encoded: event) }
                        must { () throws(JournalError) in try journal.commit(commit) }
                    }
                },
                lowerBound: .init(name: "pwrite + fdatasync", operations: commits * size) {
                    for _ in 0..<commits {
                        pwrite(file, bytes, bytes.count, position)
                        fdatasync(file)
                        position = (position + bytes.count) % (4 << 20)
                    }
                },
                note: { withExtendedLifetime(folder) { "" } })
        }
    }

    private static var read: BenchmarkCase {
        BenchmarkCase("journal/read", per: "event") {
            let folder = ScratchFolder()
            let journal = open(folder)
            var commit = Commit()
            let groups = 1_000
            for _ in 0..<groups {
                commit.restart(afterEvent: journal.numbers.lastEvent, afterInput: 0)
                for _ in 0..<32 { commit.events.append(encoded: event) }
                must { () throws(JournalError) in try journal.commit(commit) }
            }
            return Workload(
                operations: groups * 32,
                run: {
                    var cursor = journal.entries(.events, after: 0)
                    must { () throws(JournalError) in
                        while let step = try cursor.next() { blackHole(step) }
                    }
                },
                note: { withExtendedLifetime(folder) { "groups of 32" } })
        }
    }

    private static func open(_ folder: ScratchFolder) -> JournalFile {
        do throws(JournalError) {
            return try JournalFile(directory: folder.path + "/state", now: SystemTime().now())
        } catch {
            preconditionFailure("\(error)")
        }
    }

    private static func must(_ body: () throws(JournalError) -> Void) {
        do throws(JournalError) { try body() } catch { preconditionFailure("\(error)") }
    }
}
