import Journal
import LiveKit
import Metrics
import Platform
import TestSupport
import Testing
import Wire

@testable import HTTPServing
@testable import Pipeline
@testable import Recording

/// Counters of usage are seen when the inputs that they rest on are on disk, and not before.
@Suite struct UsagePublicationTests {
    /// A journal on a disk in memory, a recorder that the test plays, and one counter of usage.
    private struct Usage {
        let disk = MemoryStateJournal.Disk()
        let fixture: JournalFixture
        let recorder: PlayedRecorder
        let counter: Counter

        init(durability: JournalSettings.Durability = .commit) throws {
            fixture = JournalFixture(open: disk.opener, durability: durability)
            recorder = try #require(PlayedRecorder(fixture))
            counter = try #require(
                fixture.registry.counter("t_seconds_total", "T.", cadence: .idleGrid).series())
        }

        /// Leaves a turn: time has passed, and the counter has this total.
        func leave(_ total: Double, isWanted: Bool = true, hasInput: Bool = true) {
            if hasInput { recorder.tick() }
            var turn = recorder.takeTurn()
            turn.usage.note(counter, total: total)
            turn.isUsageWanted = isWanted
            fixture.inbox.take(turn)
        }

        /// The number of inputs on the disk.
        var inputs: Int { disk.contents.withLock { $0.inputs.count } }

        func isWaiting() -> Bool { eventually { disk.contents.withLock { $0.isWaiting } } }

        func commitReading() {
            _ = fixture.inbox.commit(
                reading: SystemTime().now(), destination: "default", labels: "l", began: [], ended: [])
        }
    }

    @Test func `a total is seen when its input is on disk, and not while the disk is at work`() throws {
        let usage = try Usage()
        usage.disk.hold(true)
        usage.leave(5)
        #expect(usage.isWaiting())
        #expect(usage.counter.value == 0 && usage.inputs == 0)
        // What comes meanwhile becomes one with what waits.
        for total in [6.0, 7] { usage.leave(total) }
        #expect(usage.fixture.inbox.mail.withLock { !$0.usage.isEmpty })
        usage.disk.hold(false)
        #expect(eventually { usage.counter.value == 7 })
        #expect(usage.inputs == 3)
    }

    @Test func `a total that nobody asked for goes with the next commit`() throws {
        let usage = try Usage()
        usage.leave(5, isWanted: false)
        #expect(eventually { usage.fixture.inbox.mail.withLock { $0.turns.isEmpty } })
        #expect(usage.counter.value == 0)
        usage.commitReading()
        #expect(eventually { usage.counter.value == 5 })
        // The events that this one rests on are on disk, and nothing else caused it.
        usage.leave(6, isWanted: false, hasInput: false)
        #expect(eventually { usage.counter.value == 6 })
        #expect(usage.inputs == 1)
    }

    @Test func `while the journal cannot be written nothing is seen, and afterwards everything`() throws {
        let usage = try Usage()
        usage.leave(5)
        #expect(eventually { usage.counter.value == 5 })
        usage.disk.fail(true)
        #expect(usage.fixture.post(1) == 503)
        usage.leave(6)
        usage.leave(7, hasInput: false)
        let failed = usage.fixture.total("lkpush_journal_commits_total", of: "failed")
        #expect(eventually { usage.fixture.total("lkpush_journal_commits_total", of: "failed") > failed })
        #expect(usage.counter.value == 5)
        // The readings of receivers leave. They have what was seen before.
        usage.commitReading()
        #expect(usage.counter.value == 5)
        usage.disk.fail(false)
        #expect(eventually { usage.counter.value == 7 })
        #expect(usage.inputs == 2)
    }

    @Test func `a journal that begins anew shows nothing before it has the state`() throws {
        let usage = try Usage()
        // That of the start.
        #expect(usage.fixture.takeSnapshotRequest()?.isForced == true)
        usage.disk.contents.change { $0.isNewWhenReopened = true }
        usage.disk.fail(true)
        #expect(usage.fixture.post(1) == 503)
        usage.disk.fail(false)
        #expect(eventually { usage.fixture.takeSnapshotRequest()?.isForced == true })
        usage.leave(5)
        #expect(eventually { usage.fixture.inbox.mail.withLock { $0.turns.isEmpty } })
        #expect(usage.fixture.post(2) == 503)
        #expect(usage.counter.value == 0)
        #expect(usage.recorder.save())
        #expect(eventually { usage.counter.value == 5 })
    }

    @Test func `without a journal of inputs a total is seen at once`() throws {
        let usage = try Usage(durability: .memory)
        usage.disk.fail(true)
        usage.leave(5, isWanted: false, hasInput: false)
        #expect(eventually { usage.counter.value == 5 })
        let fixture = JournalFixture("/proc/none/state", durability: .memory)
        let recorder = try #require(PlayedRecorder(fixture))
        var turn = recorder.takeTurn()
        turn.usage.note(usage.counter, total: 6)
        fixture.inbox.take(turn)
        #expect(eventually { usage.counter.value == 6 })
    }

    // MARK: The stop

    @Test func `the end of the recorder has everything committed and seen before the last reading`() throws {
        let usage = try Usage()
        usage.disk.hold(true)
        usage.leave(5, isWanted: false)
        usage.fixture.inbox.noteRecorderDone()
        #expect(usage.isWaiting())
        #expect(!usage.fixture.inbox.waitForUsage(until: SystemTime().monotonic()))
        #expect(usage.counter.value == 0)
        usage.disk.hold(false)
        #expect(usage.fixture.inbox.waitForUsage(until: Waits.end))
        #expect(usage.counter.value == 5 && usage.inputs == 1)
    }

    @Test func `a journal that cannot be written holds no stop up`() throws {
        let usage = try Usage()
        usage.disk.fail(true)
        #expect(usage.fixture.post(1) == 503)
        usage.leave(5)
        usage.fixture.inbox.noteRecorderDone()
        #expect(!usage.fixture.inbox.waitForUsage(until: Waits.end))
        #expect(usage.counter.value == 0)
        // The journal itself waits for a disk that may get well.
        usage.disk.fail(false)
    }

    @Test func `a recorder that counted nothing ends the wait as well`() throws {
        let usage = try Usage()
        usage.fixture.inbox.noteRecorderDone()
        #expect(usage.fixture.inbox.waitForUsage(until: Waits.end))
    }

    // MARK: The recorder

    private static func seconds(_ fixture: JournalFixture) -> Double {
        fixture.total("lk_connection_seconds_total", of: "standard")
    }

    @Test func `a question has the seconds on disk and seen, and no replay shows fewer`() throws {
        let fixture = JournalFixture()
        let recorder = RecorderThread(
            fixture.recorderInbox, start: try #require(fixture.journal.awaitStart()), reservations: fixture.intake,
            journal: fixture.inbox, store: fixture.storeInbox)
        let event = Event(
            id: "EV_1", createdAt: SystemTime().now().milliseconds / 1_000, room: Room(sid: "RM_1", name: "room"),
            body: .participantJoined(Participant(sid: "PA_1", identity: "ann")))
        let pending = fixture.intake.offer(
            AcceptedEvent(event: event, receivedAt: SystemTime().now()), now: SystemTime().monotonic())
        guard case .waiting(let request) = pending else {
            Issue.record("\(pending)")
            return
        }
        #expect(eventually { request.answer != nil })
        for _ in 0..<5 {
            let before = Self.seconds(fixture)
            // There is no reading and no other event that would bring a commit.
            #expect(
                eventually {
                    fixture.recorderInbox.requestUsage()
                    return Self.seconds(fixture) > before
                })
            let seen = Self.seconds(fixture)
            let next = JournalFixture(fixture.crash())
            _ = try #require(next.journal.awaitStart())
            #expect(Self.seconds(next) >= seen)
        }
        fixture.intake.close()
        fixture.inbox.close()
        #expect(eventually { recorder.stop(by: SystemTime().monotonic()) })
        fixture.inbox.noteRecorderDone()
        #expect(fixture.inbox.waitForUsage(until: Waits.end))
        let last = Self.seconds(fixture)
        let next = JournalFixture(fixture.crash())
        _ = try #require(next.journal.awaitStart())
        #expect(Self.seconds(next) == last)
    }
}
