import Foundation
import Platform
import SQLite
import TestSupport
import Testing

/// State folders that are copied, put back, or cloned (Specification, *Nothing is lost*): whichever writes, each
/// session is in the table once.
@Suite(.serialized) struct CopyTests {
    private let folder = TemporaryFolder()

    /// An exporter with its own state folder.
    private func exporter(_ state: String, _ application: ApplicationDatabase?) -> MortalExporter {
        var variables = ["STATE_DIR": folder.file(state), "ORG_SOURCE": "fixed"]
        if let application { variables["DATABASE_URL"] = application.url }
        return MortalExporter(folder, name: state, variables)
    }

    /// Lets one person join and leave for each number.
    private func visit(_ identities: ClosedRange<Int>, _ exporter: MortalExporter) throws {
        let webhooks = identities.flatMap { identity in
            ["participant_joined", "participant_left"].map {
                SignedWebhook.make($0, room: "room \(identity)", identity: "\(identity)")
            }
        }
        let sender = RetryingSender(webhooks, to: exporter.webhooks, patience: .untilAnswered(scaledBy: 0.01))
        #expect(sender.waitUntilAllSettled())
        #expect(sender.stop().accepted == webhooks.count)
    }

    private func copy(_ source: String, to target: String) throws {
        let (source, target) = (folder.file(source), folder.file(target))
        let done = ChildProcess.run("/bin/sh", ["-c", "rm -rf '\(target)' && cp -r '\(source)' '\(target)'"])
        try #require(done.status == 0, "\(done.output)")
    }

    /// Expects that each of these sessions is in the table once, and no other.
    private func expect(
        _ identities: [ClosedRange<Int>], in application: ApplicationDatabase,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let wanted = Set(identities.joined().map { "\($0) 1" })
        var found: [String] = []
        let isRight = try eventually {
            found = try application.rows("SELECT user_id, session_count FROM participant_activity_metrics").map {
                "\($0[0] ?? "") \($0[1] ?? "")"
            }
            return Set(found) == wanted && found.count == wanted.count
        }
        let missing = wanted.subtracting(found).sorted()
        let strange = Set(found).subtracting(wanted).sorted()
        #expect(isRight, "missing: \(missing.prefix(9)); strange: \(strange.prefix(9))", sourceLocation: sourceLocation)
    }

    private func warnings(_ exporter: MortalExporter, _ words: String) -> Int {
        exporter.output.split(separator: "\n").count { $0.contains("\"warning\"") && $0.contains(words) }
    }

    private static let words = "STATE_DIR is a copy, or was copied"

    @Test(arguments: ApplicationDatabase.Kind.allCases)
    func `a copy that is put back gets a new name, and its rows are written`(_ kind: ApplicationDatabase.Kind) throws {
        let application = try ApplicationDatabase(kind, in: folder)
        let exporter = exporter("state", application)
        try exporter.startAndWait()
        try visit(1...20, exporter)
        try exporter.terminate()
        try copy("state", to: "backup")
        // The original goes on for several runs.
        for more in [21...40, 41...60] {
            try exporter.startAndWait()
            try visit(more, exporter)
            try exporter.terminate()
        }
        try expect([1...60], in: application)
        try copy("backup", to: "state")
        try exporter.startAndWait()
        try visit(101...105, exporter)
        try expect([1...60, 101...105], in: application)
        #expect(warnings(exporter, Self.words) == 1)
        #expect(exporter.samples["lkpush_state_copies_total"] == 1)
        // The copy keeps the new name, however its runs end.
        for more in [106...110, 111...115] {
            try exporter.kill()
            try exporter.startAndWait()
            try visit(more, exporter)
            try expect([1...60, 101...more.upperBound], in: application)
        }
        #expect(warnings(exporter, Self.words) == 1)
        try exporter.terminate()
    }

    @Test(arguments: ApplicationDatabase.Kind.allCases)
    func `a clone beside its original is noticed by whoever comes second`(_ kind: ApplicationDatabase.Kind) throws {
        let application = try ApplicationDatabase(kind, in: folder)
        let (original, clone) = (exporter("original", application), exporter("clone", application))
        try original.startAndWait()
        try visit(1...20, original)
        try original.terminate()
        try copy("original", to: "clone")
        try original.startAndWait()
        try clone.startAndWait()
        // The clone has more traffic, so its numbers are always higher.
        try visit(101...150, clone)
        try expect([1...20, 101...150], in: application)
        try visit(21...30, original)
        try expect([1...30, 101...150], in: application)
        try visit(151...200, clone)
        try visit(31...40, original)
        try expect([1...40, 101...200], in: application)
        #expect(warnings(original, Self.words) == 1)
        #expect(warnings(clone, Self.words) == 0)
        for exporter in [original, clone] { try exporter.terminate() }
    }

    @Test func `a copy that was busy while the database was away loses nothing`() throws {
        let application = try ApplicationDatabase(.sqlite, in: folder)
        let exporter = exporter("state", application)
        try exporter.startAndWait()
        try visit(1...20, exporter)
        try exporter.terminate()
        try copy("state", to: "backup")
        try exporter.startAndWait()
        try visit(21...40, exporter)
        try exporter.terminate()
        try copy("backup", to: "state")
        // Now the folder's own numbers are above those in the database.
        let lock = try Connection(path: folder.file("office.db"))
        try lock.begin(.immediate)
        try exporter.startAndWait()
        try visit(101...180, exporter)
        lock.rollBack()
        lock.close()
        try expect([1...40, 101...180], in: application)
        #expect(warnings(exporter, Self.words) == 1)
        try exporter.terminate()
    }

    @Test func `rows that wait in the original and in its clone are written once`() throws {
        let application = try ApplicationDatabase(.sqlite, in: folder)
        let (original, clone) = (exporter("original", application), exporter("clone", application))
        try original.startAndWait()
        try visit(1...10, original)
        try expect([1...10], in: application)
        let lock = try Connection(path: folder.file("office.db"))
        try lock.begin(.immediate)
        try visit(11...30, original)
        // The copy is made while the original runs, as a snapshot of the volume would be.
        try copy("original", to: "clone")
        try clone.startAndWait()
        try visit(31...40, original)
        try visit(101...110, clone)
        lock.rollBack()
        lock.close()
        try expect([1...40, 101...110], in: application)
        #expect(warnings(original, Self.words) + warnings(clone, Self.words) >= 1)
        try visit(41...45, original)
        try visit(111...115, clone)
        try expect([1...45, 101...115], in: application)
        for exporter in [original, clone] { try exporter.terminate() }
    }

    @Test func `a copy that has its database with it is whole`() throws {
        let exporter = exporter("state", nil)
        try exporter.startAndWait()
        try visit(1...20, exporter)
        try exporter.terminate()
        try copy("state", to: "backup")
        try exporter.startAndWait()
        try visit(21...40, exporter)
        try exporter.terminate()
        try copy("backup", to: "state")
        try exporter.startAndWait()
        try visit(101...105, exporter)
        try expect([1...20, 101...105], in: ApplicationDatabase(file: folder.file("state/office.db")))
        #expect(warnings(exporter, Self.words) == 0)
        try exporter.terminate()
    }

    @Test(arguments: ["commit", "memory"])
    func `what a folder lost is no sign of a copy`(_ durability: String) throws {
        let application = try ApplicationDatabase(.sqlite, in: folder)
        let exporter = exporter("state", application)
        let settings = ["DURABILITY": durability]
        try exporter.startAndWait(settings)
        try visit(1...10, exporter)
        try expect([1...10], in: application)
        try exporter.terminate()
        // If events are not journaled, the next run does not know those of this run.
        try exporter.startAndWait(settings)
        try visit(11...20, exporter)
        try expect([1...20], in: application)
        try exporter.kill()
        try exporter.startAndWait(settings)
        try visit(21...25, exporter)
        try expect([1...25], in: application)
        try exporter.terminate()
        // First the journal's file is lost, then the snapshots too.
        for (lost, more) in [("journal.db*", 26...30), ("journal.db* snapshot.*", 31...35)] {
            let done = ChildProcess.run("/bin/sh", ["-c", "cd \(folder.file("state")) && rm \(lost)"])
            #expect(done.status == 0, "\(done.output)")
            try exporter.startAndWait(settings)
            try visit(more, exporter)
            try expect([1...more.upperBound], in: application)
            try exporter.kill()
        }
        #expect(warnings(exporter, Self.words) == 0)
    }

    @Test func `a database that was restored from an older backup is told, and nothing comes twice`() throws {
        let application = try ApplicationDatabase(.sqlite, in: folder)
        let exporter = exporter("state", application)
        try exporter.startAndWait()
        try visit(1...20, exporter)
        try expect([1...20], in: application)
        try exporter.terminate()
        try copy("office.db", to: "office.backup")
        try exporter.startAndWait()
        try visit(21...40, exporter)
        try expect([1...40], in: application)
        try exporter.terminate()
        let moved = ChildProcess.run(
            "/bin/sh", ["-c", "cd \(folder.file("")) && rm office.db* ; mv office.backup office.db"])
        #expect(moved.status == 0, "\(moved.output)")
        try exporter.startAndWait()
        try visit(41...45, exporter)
        try expect([1...20, 41...45], in: application)
        #expect(warnings(exporter, "the database has less than was written to it") == 1)
        #expect(warnings(exporter, Self.words) == 0)
        try exporter.terminate()
    }
}
