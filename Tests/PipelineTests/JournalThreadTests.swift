import Platform
import Recording
import RemoteWrite
import SQLite
import Storage
import TestSupport
import Testing
import Wire

@testable import Pipeline
@testable import HTTPServing

/// The promises of the journal thread: nothing that was answered is lost, and nothing comes twice, whatever the disk
/// does.
@Suite struct JournalThreadTests {
    private func isDone(_ name: String, in fixture: JournalFixture) -> Bool {
        ChildProcess.run("/bin/sh", ["-c", "rm -rf \(fixture.directory)/\(name)"]).status == 0
    }

    // MARK: Events

    @Test func `an event that was answered is replayed after a crash`() throws {
        let fixture = JournalFixture()
        _ = try #require(PlayedRecorder(fixture))
        #expect(fixture.post(1) == 200)
        #expect(fixture.post(2) == 200)
        #expect(fixture.drain() == ["EV_1", "EV_2"])
        let next = JournalFixture(fixture.crash())
        let recorder = try #require(PlayedRecorder(next))
        #expect(recorder.events == 2)
        #expect(next.total("lk_rooms_started_total") == 2)
    }

    @Test func `an input counts after a crash once something that it caused has left`() throws {
        let fixture = JournalFixture()
        let recorder = try #require(PlayedRecorder(fixture))
        recorder.tick()
        recorder.emit(JournalFixture.row(1))
        recorder.handOver()
        #expect(eventually { fixture.rows == [JournalFixture.row(1)] })
        #expect(try #require(PlayedRecorder(JournalFixture(fixture.crash()))).inputs == 1)
    }

    @Test func `what a reading shows is known after a crash`() throws {
        let settings = RecorderSettings(organizationSource: .database, waitingEvents: 2) { _ in 0 }
        let fixture = JournalFixture(settings: settings)
        let start = try #require(fixture.journal.awaitStart())
        // One batch has more events than may wait, so the recorder holds events back for a moment each time.
        for id in 1...20 { #expect(fixture.post(id) == 200) }
        let recorder = RecorderThread(
            fixture.recorderInbox, start: start, reservations: fixture.intake, journal: fixture.inbox,
            store: fixture.storeInbox)
        #expect(
            eventually {
                fixture.recorderInbox.leave(
                    .organization(room: "room 1", .success(Organization(id: "org_1", name: "One"))))
                return fixture.total("lk_rooms_started_total", of: "org_1") > 0
            })
        #expect(
            fixture.inbox.commit(
                reading: SystemTime().now(), destination: "default", labels: "", began: [], ended: []) == .maySend)
        let next = JournalFixture(fixture.crash(), settings: settings)
        _ = try #require(PlayedRecorder(next))
        #expect(next.total("lk_rooms_started_total", of: "org_1") == 1)
        fixture.intake.close()
        fixture.inbox.close()
        // The recorder stops at once, but a busy machine may have to be asked again.
        #expect(eventually { recorder.stop(by: SystemTime().monotonic()) })
    }

    @Test(.enabled(if: SmallFileSystem.isAllowed, "mounting a small file system needs root and CAP_SYS_ADMIN"))
    func `inputs for which there is no room are taken over by a snapshot`() throws {
        let folder = TemporaryFolder()
        let disk = try SmallFileSystem(in: folder)
        let fixture = JournalFixture(disk.path + "/state")
        let recorder = try #require(PlayedRecorder(fixture))
        #expect(fixture.post(1) == 200)
        recorder.apply(JournalFixture.event(1))
        #expect(fixture.drain().count == 1)
        try disk.fill()
        #expect(eventually { fixture.post(2) == 503 })
        let long = String(repeating: "x", count: JournalSettings.Limits.inputs_bytes / 4)
        for _ in 0..<5 { recorder.find(long) }
        recorder.handOver()
        #expect(eventually { fixture.takeSnapshotRequest()?.isForced == true })
        recorder.tick()
        disk.free()
        recorder.takeSnapshot()
        recorder.handOver()
        #expect(eventually { fixture.post(3) == 200 })
        let next = JournalFixture(fixture.crash())
        let restored = try #require(PlayedRecorder(next))
        #expect(restored.events == 2 && restored.inputs == 6)
        #expect(next.total("lk_rooms_started_total") == 2)
    }

    // MARK: Starts

    @Test func `a start that fails after the replay counts nothing twice when it is tried again`() throws {
        let fixture = JournalFixture()
        _ = try #require(PlayedRecorder(fixture))
        for id in 1...2 { #expect(fixture.post(id) == 200) }
        let directory = fixture.crash()
        let file = try Connection(path: directory + "/journal.db")
        try file.execute("ALTER TABLE outbox RENAME TO elsewhere")
        file.close()
        let next = JournalFixture(directory)
        #expect(eventually { next.readiness.obstacles.contains { $0.contains("cannot be used") } })
        #expect(
            eventually {
                do {
                    let file = try Connection(path: directory + "/journal.db")
                    defer { file.close() }
                    try file.execute("ALTER TABLE elsewhere RENAME TO outbox")
                    return true
                } catch {
                    // The journal is being opened once more at this moment.
                    return false
                }
            })
        #expect(try #require(PlayedRecorder(next)).events == 2)
        #expect(next.total("lk_rooms_started_total") == 2)
    }

    // MARK: Snapshots

    @Test func `rows of the turn of a snapshot survive with it`() throws {
        let fixture = JournalFixture()
        let recorder = try #require(PlayedRecorder(fixture))
        for number in 1...3 { recorder.emit(JournalFixture.row(number)) }
        #expect(recorder.save())
        recorder.emit(JournalFixture.row(4))
        recorder.tick()
        recorder.emit(JournalFixture.row(5))
        #expect(recorder.save())

        let next = JournalFixture(fixture.crash())
        #expect(try #require(PlayedRecorder(next)).rows == 5)
        #expect(eventually { next.rows == (1...5).map { JournalFixture.row($0) } })
        #expect(next.rowNumbers == [1, 2, 3, 4, 5])
    }

    @Test func `a snapshot that takes the place of another one keeps its ids`() throws {
        let fixture = JournalFixture()
        let recorder = try #require(PlayedRecorder(fixture))
        #expect(fixture.post(1) == 200)
        recorder.apply(JournalFixture.event(1))
        recorder.takeSnapshot()
        let first = recorder.takeTurn()
        #expect(fixture.post(2) == 200)
        recorder.apply(JournalFixture.event(2))
        // A stop makes a snapshot like this while another one is on its way.
        recorder.takeSnapshot(isLast: true)
        let last = recorder.takeTurn()
        fixture.inbox.mail.change { $0.turns += [first, last] }
        #expect(eventually { fixture.snapshotNumber == 1 })

        let next = JournalFixture(fixture.crash())
        let restored = try #require(PlayedRecorder(next))
        #expect(restored.recorder.missingIDs == 0)
        restored.apply(JournalFixture.event(1))
        #expect(next.total("lk_rooms_started_total") == 2)
        #expect(next.total("lk_webhook_duplicates_total") == 1)
    }

    @Test func `rows that wait on disk are counted when the start is done`() throws {
        let fixture = JournalFixture()
        let recorder = try #require(PlayedRecorder(fixture))
        let count = RowBacklog.Limits.memory + 500
        for number in 1...count { recorder.emit(JournalFixture.row(number)) }
        #expect(recorder.save())
        let next = JournalFixture(fixture.crash())
        _ = try #require(PlayedRecorder(next))
        let (waiting, areExpected) = next.storeInbox.mail.withLock { ($0.rowsWaiting, $0.areRowsExpected) }
        #expect(waiting == count && areExpected)
    }

    // MARK: A new journal

    @Test func `beside an old state a new journal takes no event before the state is saved to it`() throws {
        let fixture = JournalFixture()
        let recorder = try #require(PlayedRecorder(fixture))
        #expect(fixture.post(1) == 200)
        recorder.apply(JournalFixture.event(1))
        #expect(recorder.save(isLast: true))
        #expect(fixture.journal.stop(by: fixture.soon))
        #expect(isDone("journal.db*", in: fixture))

        let next = JournalFixture(fixture.directory)
        let restored = try #require(PlayedRecorder(next))
        #expect(next.readiness.obstacles.contains { $0.contains("the state is being saved") })
        #expect(next.post(2) == 503)
        #expect(restored.save())
        #expect(eventually { next.post(3) == 200 })
        #expect(eventually { next.readiness.obstacles == ["starting"] })
        #expect(next.drain() == ["EV_3"])

        let last = JournalFixture(next.crash())
        #expect(try #require(PlayedRecorder(last)).events == 2)
    }

    @Test func `what is applied after the snapshot that begins a journal is in the journal`() throws {
        let fixture = JournalFixture()
        let recorder = try #require(PlayedRecorder(fixture))
        recorder.tick()
        #expect(recorder.save())
        #expect(isDone("journal.db*", in: fixture))
        #expect(fixture.post(1) == 503)
        #expect(eventually { fixture.takeSnapshotRequest()?.isForced == true })
        recorder.tick()
        recorder.takeSnapshot()
        let first = recorder.takeTurn()
        recorder.tick()
        recorder.emit(JournalFixture.row(1))
        let second = recorder.takeTurn()
        fixture.inbox.mail.change { $0.turns += [first, second] }
        #expect(eventually { fixture.post(2) == 200 })
        #expect(eventually { fixture.rows == [JournalFixture.row(1)] })

        let next = JournalFixture(fixture.crash())
        let restored = try #require(PlayedRecorder(next))
        #expect(restored.inputs == 3)
        #expect(next.inbox.mail.withLock { $0.takesEvents })
    }

    @Test(.enabled(if: SmallFileSystem.isAllowed, "mounting a small file system needs root and CAP_SYS_ADMIN"))
    func `a disk that is full when a new journal begins loses nothing`() throws {
        let folder = TemporaryFolder()
        let disk = try SmallFileSystem(in: folder)
        let fixture = JournalFixture(disk.path + "/state")
        let recorder = try #require(PlayedRecorder(fixture))
        for id in 1...5 {
            #expect(fixture.post(id) == 200)
            recorder.apply(JournalFixture.event(id))
        }
        #expect(fixture.drain().count == 5)
        #expect(recorder.save())
        #expect(isDone("journal.db*", in: fixture))
        #expect(fixture.post(6) == 503)
        #expect(eventually { fixture.takeSnapshotRequest()?.isForced == true })
        try disk.fill()
        recorder.takeSnapshot()
        recorder.handOver()
        #expect(eventually { fixture.readiness.obstacles.contains { $0.contains("cannot be written") } })
        disk.free()
        // Makes a snapshot each time that one is asked for.
        #expect(
            eventually {
                if fixture.takeSnapshotRequest() != nil {
                    recorder.takeSnapshot()
                    recorder.handOver()
                }
                return fixture.post(7) == 200
            })
        #expect(fixture.drain() == ["EV_7"])

        let next = JournalFixture(fixture.crash())
        #expect(try #require(PlayedRecorder(next)).events == 6)
        #expect(next.total("lk_rooms_started_total") == 6)
    }

    // MARK: Without a disk

    @Test func `a folder that cannot be used does not keep a memory-only process unready`() throws {
        let fixture = JournalFixture(durability: .memory)
        _ = fixture.journal.awaitStart()
        let other = JournalFixture(fixture.crash() + "/deeper", durability: .memory)
        _ = other.journal.awaitStart()
        let broken = fixture.crash()
        #expect(ChildProcess.run("/bin/sh", ["-c", "rm -rf \(broken)/*; mkdir \(broken)/journal.db"]).status == 0)
        let last = JournalFixture(broken, durability: .memory)
        _ = try #require(PlayedRecorder(last))
        #expect(last.readiness.obstacles == ["starting"])
        #expect(last.post(1) == 200)
    }

    @Test func `without a journal of events no row has the number of one that was lost`() throws {
        let fixture = JournalFixture(durability: .memory)
        var numbers: [Int64] = []
        var directory = fixture.directory
        var rigs = [fixture]
        for round in 0..<4 {
            let fixture = round == 0 ? fixture : JournalFixture(directory, durability: .memory)
            rigs.append(fixture)
            let recorder = try #require(PlayedRecorder(fixture))
            // The second process saves its state. The others die before that.
            if round == 1 { #expect(recorder.save()) }
            for number in 1...3 { recorder.emit(JournalFixture.row(number)) }
            recorder.handOver()
            #expect(eventually { fixture.rows.count == 3 })
            numbers += fixture.rowNumbers
            directory = fixture.crash()
        }
        #expect(numbers == numbers.sorted() && Set(numbers).count == 12)
    }

    @Test func `a clean stop is no longer the truth once a memory-only process has begun`() throws {
        let fixture = JournalFixture(durability: .memory)
        let recorder = try #require(PlayedRecorder(fixture))
        for id in 1...5 { recorder.apply(JournalFixture.event(id)) }
        #expect(recorder.save(isLast: true))

        let second = JournalFixture(fixture.crash(), durability: .memory)
        _ = try #require(PlayedRecorder(second))
        #expect(second.total("lk_rooms_started_total") == 5)
        // This process dies before it has saved anything, so what it counted and pushed is lost.
        let third = JournalFixture(second.crash(), durability: .memory)
        _ = try #require(PlayedRecorder(third))
        #expect(third.total("lk_rooms_started_total") == 0)
        let fourth = JournalFixture(second.crash())
        _ = try #require(PlayedRecorder(fourth))
        #expect(fourth.total("lk_rooms_started_total") == 0)
    }

    // MARK: Stopping

    @Test(.enabled(if: SmallFileSystem.isAllowed, "mounting a small file system needs root and CAP_SYS_ADMIN"))
    func `a stop waits for a disk that gets well in time`() throws {
        let folder = TemporaryFolder()
        let disk = try SmallFileSystem(in: folder)
        let fixture = JournalFixture(disk.path + "/state")
        let recorder = try #require(PlayedRecorder(fixture))
        try disk.fill()
        #expect(eventually { fixture.post(1) == 503 })
        recorder.emit(JournalFixture.row(1))
        recorder.takeSnapshot(isLast: true)
        recorder.handOver()
        let journal = fixture.journal
        let end = fixture.soon
        let isStopped = Monitor<Bool?>(nil)
        let stopper = NamedThread(name: "stopper") {
            let result = journal.stop(by: end)
            isStopped.change { $0 = result }
        }
        #expect(eventually { fixture.inbox.mail.withLock { $0.stopBy != nil } })
        disk.free()
        stopper.join()
        #expect(isStopped.withLock { $0 } == true)
        #expect(fixture.snapshotNumber == 1)
        let next = JournalFixture(disk.path + "/state")
        _ = try #require(PlayedRecorder(next))
        #expect(eventually { next.rows == [JournalFixture.row(1)] })
    }
}
