import Journal
import Platform
import RemoteWrite
import TestSupport
import Testing
import Wire

@testable import Pipeline

/// The journal thread with another engine than SQLite. It does the same for the recorder, the store and the shipper.
@Suite struct JournalPortTests {
    private let disk = MemoryStateJournal.Disk()

    private func reading(_ fixture: JournalFixture, at milliseconds: Int64) -> ReadingOutcome {
        fixture.inbox.commit(
            reading: Timestamp(milliseconds: milliseconds), destination: "default", labels: "", began: [], ended: [])
    }

    @Test func `events, inputs, rows and the state survive in any engine`() throws {
        let first = JournalFixture(open: disk.opener)
        let recorder = try #require(PlayedRecorder(first))
        #expect(first.post(1) == 200)
        recorder.apply(JournalFixture.event(1))
        #expect(first.drain() == ["EV_1"])
        #expect(recorder.save())
        #expect(first.post(2) == 200)
        recorder.tick()
        recorder.emit(JournalFixture.row(1))
        recorder.handOver()
        #expect(eventually { first.rows == [JournalFixture.row(1)] })

        let next = JournalFixture(open: disk.opener)
        let restored = try #require(PlayedRecorder(next))
        #expect(restored.events == 2 && restored.inputs == 1)
        #expect(next.total("lk_rooms_started_total") == 2)
    }

    @Test func `an engine may hold a reading that cannot be committed, and has it later`() throws {
        let fixture = JournalFixture(open: disk.opener)
        _ = try #require(PlayedRecorder(fixture))
        #expect(eventually { reading(fixture, at: 1_000) == .maySend })
        disk.fail(true)
        #expect(reading(fixture, at: 2_000) == .withhold)
        #expect(eventually { fixture.post(1) == 503 })
        #expect(!disk.contents.withLock { $0.readings.contains(Timestamp(milliseconds: 2_000)) })
        disk.fail(false)
        #expect(eventually { reading(fixture, at: 3_000) == .maySend })
        #expect(disk.contents.withLock { $0.numbers.lastReading } == Timestamp(milliseconds: 3_000))
        #expect(eventually { fixture.post(2) == 200 })
    }
}
