import Glibc
import Platform
import RemoteWrite
import TestSupport
import Testing
import Wire

@testable import Pipeline

/// A process that dies while several destinations commit readings: the series that the next one restores for each
/// destination are exactly those that it held after one of its own commits, and not before the last acknowledged one.
@Suite struct JournalReadingsCrashTests {
    /// The commits of a destination, from a seed: always the same.
    struct Readings {
        static let destinations = ["default", "eu", "archive"]

        private(set) var number = 0
        /// The series that its receiver holds after the readings so far.
        private(set) var held: Set<SeriesKey> = []
        private var random: SeededGenerator

        init(of destination: String, seed: UInt64) {
            random = SeededGenerator(seed: seed &* 1_000 &+ UInt64(destination.utf8.count))
        }

        private static func key(_ name: String) -> SeriesKey { SeriesKey(family: "lk_x", labelValues: [name]) }

        /// Makes the next reading. All destinations use the same few series, and one that tells the readings apart.
        mutating func next() -> (began: [SeriesKey], ended: [SeriesKey]) {
            number += 1
            let names = (0..<12).map { Self.key("\($0)") }
            var ended = names.filter { held.contains($0) && random.next() % 4 == 0 }
            if number > 1 { ended.append(Self.key("reading \(number - 1)")) }
            held.subtract(ended)
            // Some end and begin in the same reading.
            let began = names.filter { !held.contains($0) && random.next() % 3 == 0 } + [Self.key("reading \(number)")]
            held.formUnion(began)
            return (began, ended)
        }

        /// The number of the reading after which these are the series; nil where there is none.
        static func number(of series: Set<SeriesKey>, _ destination: String, seed: UInt64) -> Int? {
            var readings = Readings(of: destination, seed: seed)
            if series.isEmpty { return 0 }
            guard let last = series.compactMap({ Int($0.labelValues[0].split(separator: " ").last ?? "") }).max() else {
                return nil
            }
            while readings.number < max(last, 12) {
                _ = readings.next()
                if readings.held == series { return readings.number }
            }
            return nil
        }
    }

    /// Commits readings of a destination on a thread of its own, and calls `acknowledged` after each that is on disk.
    private static func commit(
        _ destination: String, seed: UInt64, to inbox: JournalInbox, count: Int,
        acknowledged: @escaping @Sendable (Int) -> Void
    ) -> NamedThread {
        NamedThread(name: "shipper-\(destination)") {
            let time = SystemTime()
            var readings = Readings(of: destination, seed: seed)
            for number in 1...count {
                let (began, ended) = readings.next()
                let begin = time.monotonic()
                let outcome = inbox.commit(
                    reading: Timestamp(seconds: Int64(number)), destination: destination, labels: "l", began: began,
                    ended: ended)
                // A reading that has to wait for too long may leave without being on disk.
                let isInTime = time.monotonic().since(begin) < JournalSettings.Limits.readingPatience
                if outcome == .maySend && isInTime { acknowledged(number) }
            }
        }
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func `after any commit each destination has what it committed`(_ seed: UInt64) throws {
        let disk = MemoryStateJournal.Disk()
        let fixture = JournalFixture(open: disk.opener, destinations: Set(Readings.destinations))
        _ = try #require(fixture.journal.awaitStart())
        let count = 60
        // The number of commits that the disk had when a reading was acknowledged.
        let acknowledged = Monitor<[String: [(number: Int, commits: Int)]]>([:])
        let threads = Readings.destinations.map { destination in
            Self.commit(destination, seed: seed, to: fixture.inbox, count: count) { number in
                let commits = disk.contents.withLock { $0.seriesByCommit.count }
                acknowledged.change { $0[destination, default: []].append((number, commits)) }
            }
        }
        for thread in threads { thread.join() }
        let commits = disk.contents.withLock { $0.seriesByCommit }
        #expect(commits.count >= count)
        for destination in Readings.destinations {
            let numbers = commits.map { commit in
                let series = ShippedStates(series: commit.compactMap { try? ShippedSeries(bytes: $0) })
                return Readings.number(of: Set(series[destination].series), destination, seed: seed)
            }
            #expect(numbers.allSatisfy { $0 != nil }, "seed \(seed): \(destination)")
            let found = numbers.map { $0 ?? -1 }
            #expect(found == found.sorted(), "seed \(seed): \(destination)")
            let all = try #require(acknowledged.withLock { $0[destination] })
            #expect(all.allSatisfy { found[$0.commits - 1] >= $0.number }, "seed \(seed): \(destination)")
        }
    }

    /// Commits readings of all destinations until the process is killed, at some time after the first ones. It writes
    /// the numbers of the acknowledged ones to a file.
    static func commitUntilKilled(in directory: String, noting path: String, seed: UInt64) {
        let notes = open(path, O_WRONLY | O_CREAT, 0o600)
        let fixture = JournalFixture(directory, destinations: Set(Readings.destinations))
        guard notes >= 0, fixture.journal.awaitStart() != nil else { exit(3) }
        let begun = Monitor<Set<String>>([])
        let threads = Readings.destinations.enumerated().map { place, destination in
            commit(destination, seed: seed, to: fixture.inbox, count: .max) { number in
                var number = Int64(number)
                pwrite(notes, &number, 8, off_t(place * 8))
                begun.change { _ = $0.insert(destination) }
            }
        }
        let killer = NamedThread(name: "killer") {
            _ = begun.wait(until: nil) { $0.count == Readings.destinations.count ? true : nil }
            var random = SeededGenerator(seed: seed)
            var pause = timespec(tv_sec: 0, tv_nsec: Int(random.next() % 40_000_000))
            nanosleep(&pause, nil)
            kill(getpid(), SIGKILL)
        }
        for thread in threads + [killer] { thread.join() }
    }

    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func `after kill -9 each destination has what it committed`(_ seed: UInt64) async throws {
        let folder = TemporaryFolder()
        let (directory, notes) = (folder.file("state"), folder.file("notes"))
        await #expect(processExitsWith: .signal(SIGKILL)) {
            [directory = directory as String, notes = notes as String, seed = seed as UInt64] in
            JournalReadingsCrashTests.commitUntilKilled(in: directory, noting: notes, seed: seed)
        }
        let bytes = try FileStore.read(notes)
        try #require(bytes.count == 8 * Readings.destinations.count)
        let acknowledged = bytes.withUnsafeBytes { $0.bindMemory(to: Int64.self).map { Int($0) } }
        let next = JournalFixture(directory, destinations: Set(Readings.destinations))
        let shipped = try #require(next.journal.awaitStart()).shipped
        for (destination, number) in zip(Readings.destinations, acknowledged) {
            let found = Readings.number(of: Set(shipped[destination].series), destination, seed: seed)
            #expect(found.map { $0 >= number } ?? false, "seed \(seed): \(destination) \(number)")
        }
    }
}
