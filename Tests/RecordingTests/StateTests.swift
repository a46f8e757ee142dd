import LiveKit
import Matching
import Platform
import Recording
import Storage
import Testing
import Wire

/// A recorder that was saved and restored does what the one does that went on.
@Suite struct StateTests {
    static let seeds: [UInt64] = Array(1...12)

    @Test(arguments: seeds)
    func `whatever the events hold, a restored recorder goes on as if nothing had happened`(seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        let sources: [OrganizationSource] = [
            .fixed(id: "acme", name: "acme"), .roomName(try Pattern("^(?<org>[a-z]*)-?(?<name>[A-Z])?")), .metadata,
            .database, .fixed(id: "acme", name: "Acme"),
        ]
        let source = sources[Int(seed) % sources.count]
        let setup = RestorableFixture.Setup(settings: .test(source, waitingEvents: [0, 1, 3, 20][Int(seed / 4) % 4]))
        var clock_ms: Int64 = 0
        try compare(setup, steps: 1_200, every: 50, &random) { random in
            clock_ms += Stranger.step_ms(&random)
            return Stranger.input(at: RecorderFixture.time(milliseconds: clock_ms), &random)
        }
    }

    @Test(arguments: seeds.prefix(4))
    func `a troubled day goes on after every restart`(seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        let inputs = Day(rooms: 10, &random).troubled(&random)
        var next = inputs.makeIterator()
        let setup = RestorableFixture.Setup(settings: .test(.database, waitingEvents: 8))
        try compare(setup, steps: inputs.count, every: 20, &random) { _ in
            next.next() ?? .time(at: RecorderFixture.time(0))
        }
    }

    @Test(arguments: seeds.prefix(6))
    func `a full registry changes no action and no state`(seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        var clock_ms: Int64 = 0
        let setup = RestorableFixture.Setup(settings: .test(.database, waitingEvents: 8), maxSeries: 60)
        try compare(setup, steps: 600, every: 50, isPageTheSame: false, &random) { random in
            clock_ms += Stranger.step_ms(&random)
            return Stranger.input(at: RecorderFixture.time(milliseconds: clock_ms), &random)
        }
    }

    /// Gives the same inputs to a recorder that lives on and to one that is saved and restored now and then.
    private func compare(
        _ setup: RestorableFixture.Setup, steps: Int, every interval: UInt64, isPageTheSame: Bool = true,
        _ random: inout SplitMix, _ input: (inout SplitMix) -> Input
    ) throws {
        var original = RestorableFixture(setup)
        var restored = RestorableFixture(setup)
        for step in 0..<steps {
            let input = input(&random)
            original.apply(input)
            restored.apply(input)
            try #require(restored.actions == original.actions, "step \(step): \(input)")
            guard random.next() % interval == 0 else { continue }
            if isPageTheSame { try #require(restored.page == original.page, "step \(step)") }
            let state = restored.save()
            // Order and repetition of segments do not matter.
            let segments = (restored.segments + restored.segments.suffix(3)).shuffled(using: &random)
            restored = try RestorableFixture(state, segments, setup)
            try #require(restored.recorder.checkInvariants() == [], "step \(step)")
            #expect(restored.recorder.missingIDs == 0)
            if isPageTheSame { try #require(restored.page == original.page, "step \(step), restored") }
            #expect(restored.recorder.outstandingLookups == original.recorder.outstandingLookups)
        }
        if isPageTheSame { #expect(restored.page == original.page) }
    }

    @Test(arguments: seeds.prefix(3))
    func `damaged state is refused, or restored to something sound`(seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        let setup = RestorableFixture.Setup(settings: .test(.database, waitingEvents: 8))
        var fixture = RestorableFixture(setup)
        for input in Day(rooms: 4, &random).troubled(&random).dropLast(60) { fixture.apply(input) }
        let state = fixture.save()
        var refused = 0
        for _ in 0..<400 {
            var bytes = state
            for _ in 0...(random.next() % 3) {
                bytes[Int(random.next() % UInt64(bytes.count))] ^= 1 << UInt8(random.next() % 8)
            }
            if random.next() % 8 == 0 { bytes.removeLast(Int(random.next() % UInt64(bytes.count))) }
            do throws(StateFault) {
                var other = try RestorableFixture(bytes, fixture.segments, setup)
                // What is restored must go on, and stay without contradictions of its own.
                for step in Int64(0)..<20 { other.apply(.time(at: RecorderFixture.time(200_000 + step * 40_000))) }
                _ = other.save()
            } catch {
                refused += 1
            }
        }
        #expect(refused > 100)
    }

    @Test func `damaged segments of ids are refused`() throws {
        var random = SplitMix(seed: 9)
        let setup = RestorableFixture.Setup(settings: .test(.database))
        var fixture = RestorableFixture(setup)
        for input in Day(rooms: 4, &random).troubled(&random) { fixture.apply(input) }
        let state = fixture.save()
        let segment = try #require(fixture.segments.first)
        let cut = IDSegment(
            kind: segment.kind, latest: segment.latest, bytes: Array(segment.bytes.dropLast()))
        #expect(throws: StateFault.self) { try RestorableFixture(state, [cut], setup) }
        #expect(throws: StateFault.self) { try RestorableFixture([], [], setup) }
        #expect(throws: StateFault.self) { try RestorableFixture([8, 99], [], setup) }
        // None at all: nothing is remembered, and that is told.
        let bare = try RestorableFixture(state, [], setup)
        #expect(bare.recorder.missingIDs > 0)
    }

    // MARK: What begins anew

    @Test func `without totals, gauges and state are kept and counters begin at nothing`() throws {
        var setup = RestorableFixture.Setup()
        var fixture = RestorableFixture(setup)
        fixture.apply(event(.roomStarted, at: 1))
        fixture.apply(event(.participantJoined(.person("PA_1", joined: 2)), at: 2))
        let state = fixture.save()
        setup.keepsTotals = false
        var other = try RestorableFixture(state, fixture.segments, setup)
        #expect(other.page.contains { $0.hasPrefix("lk_participants_active{") && $0.hasSuffix(" 1") })
        #expect(!other.page.contains { $0.hasPrefix("lk_rooms_started_total") })
        #expect(!other.page.contains { $0.hasPrefix("lk_webhook_events_total") })
        other.apply(event(.participantLeft(.person("PA_1")), at: 62))
        #expect(other.page.contains { $0.hasPrefix("lk_participant_lifetime_seconds_sum{") && $0.hasSuffix(" 60") })
    }

    @Test func `another project begins its totals anew, other buckets only their histogram`() throws {
        let setup = RestorableFixture.Setup()
        var fixture = RestorableFixture(setup)
        fixture.apply(event(.roomStarted, at: 1))
        fixture.apply(event(.roomFinished, at: 100))
        let state = fixture.save()
        var moved = setup
        moved.project = "other"
        let other = try RestorableFixture(state, fixture.segments, moved)
        #expect(!other.page.contains { $0.hasPrefix("lk_rooms_started_total") })
        #expect(other.page.contains { $0.hasPrefix("lk_room_active{project=\"other\"") })
        #expect(other.page.contains { $0.hasPrefix("lk_webhook_events_total") })
        var longer = setup
        longer.longBuckets = true
        let long = try RestorableFixture(state, fixture.segments, longer)
        #expect(long.page.contains { $0.hasPrefix("lk_rooms_started_total") })
        #expect(!long.page.contains { $0.hasPrefix("lk_room_duration_seconds") })
    }

    @Test(arguments: [true, false])
    func `a histogram whose buckets changed counts from zero in the new ones, either way`(isLonger: Bool) throws {
        var setup = RestorableFixture.Setup()
        setup.longBuckets = !isLonger
        var fixture = RestorableFixture(setup)
        fixture.apply(event(.roomStarted, at: 1))
        fixture.apply(event(.roomFinished, at: 100))
        setup.longBuckets = isLonger
        var other = try RestorableFixture(fixture.save(), fixture.segments, setup)
        other.apply(event(.roomStarted, in: .named("second", sid: "RM_2", start: 1_000), at: 1_000))
        other.apply(event(.roomFinished, in: .named("second", sid: "RM_2", start: 1_000), at: 21_000))
        let page = other.page.filter { $0.hasPrefix("lk_room_duration_seconds") }
        #expect(page.contains { $0.contains("_count{") && $0.hasSuffix(" 1") })
        #expect(page.contains { $0.contains("_sum{") && $0.hasSuffix(" 20000") })
        #expect(page.contains { $0.contains("le=\"28800") } == isLonger)
        // What is no histogram with other buckets goes on.
        #expect(other.page.contains { $0.hasPrefix("lk_rooms_finished_total") && $0.hasSuffix(" 2") })
    }

    @Test func `totals of lkpush itself begin at zero, restored or replayed`() throws {
        let setup = RestorableFixture.Setup(settings: .test(.database))
        var fixture = RestorableFixture(setup)
        fixture.apply(event(.roomStarted, at: 1))
        #expect(fixture.lines.contains("lkpush_lookups_total 1.0") || fixture.lines.contains("lkpush_lookups_total 1"))
        let state = fixture.save()
        var other = try RestorableFixture(state, fixture.segments, setup)
        #expect(!other.lines.contains { $0.hasPrefix("lkpush_lookups_total 1") })
        other.apply(event(.roomStarted, in: .named("second", sid: "RM_2"), at: 2))
        other.startOwnTotalsAtZero()
        #expect(other.lines.contains { $0.hasPrefix("lkpush_lookups_total 0") })
        #expect(other.recorder.outstandingLookups == ["office", "second"])
    }

    @Test func `a series keeps its beginning, and one made by an input begins with it`() throws {
        let setup = RestorableFixture.Setup()
        var fixture = RestorableFixture(setup)
        fixture.apply(event(.roomStarted, at: 1))
        let created = fixture.lines.filter { $0.hasPrefix("lk_rooms_started_created") }
        #expect(created.count == 1 && created[0].contains("1790553601"))
        let state = fixture.save()
        #expect(try RestorableFixture(state, fixture.segments, setup).lines.filter { created.contains($0) } == created)
    }

    // MARK: Other settings

    @Test func `what is open stays when organizations are found in another way, until its next event`() throws {
        var setup = RestorableFixture.Setup(settings: .test(.database))
        var fixture = RestorableFixture(setup)
        fixture.apply(event(.roomStarted, at: 1))
        let organization = Organization(id: "globex", name: "Globex", key: .integer(1))
        fixture.apply(.answer(room: "office", .success(organization), at: RecorderFixture.time(2)))
        fixture.apply(event(.roomStarted, in: .named("waiting", sid: "RM_2"), at: 3))
        let state = fixture.save()
        setup.settings = .test(.fixed(id: "acme", name: "Acme"))
        var other = try RestorableFixture(state, fixture.segments, setup)
        #expect(other.recorder.outstandingLookups == [])
        #expect(other.recorder.checkInvariants() == [])
        // What waited is applied with the next input.
        other.apply(.time(at: RecorderFixture.time(4)))
        #expect(other.recorder.waitingEvents == 0)
        #expect(other.page.contains { $0.hasPrefix("lk_room_active{") && $0.contains("acme") && $0.hasSuffix(" 1") })
        #expect(other.page.contains { $0.hasPrefix("lk_room_active{") && $0.contains("globex") && $0.hasSuffix(" 1") })
        other.apply(event(.participantJoined(.person("PA_1", joined: 5)), at: 5))
        #expect(other.recorder.checkInvariants() == [])
        #expect(other.page.contains { $0.hasPrefix("lk_room_active{") && $0.contains("acme") && $0.hasSuffix(" 2") })
        #expect(other.page.contains { $0.hasPrefix("lk_room_active{") && $0.contains("globex") && $0.hasSuffix(" 0") })
    }

    @Test(arguments: [1, 2] as [UInt64])
    func `every change of the organization source restores, and goes on soundly`(seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        let sources: [OrganizationSource] = [
            .fixed(id: "acme", name: "acme"), .fixed(id: "globex", name: "Globex"),
            .roomName(try Pattern("^(?<org>[a-z]+)")), .roomName(try Pattern("(?<org>[A-Z]+)")), .metadata, .database,
        ]
        for before in sources {
            for after in sources {
                var clock_ms: Int64 = 0
                func input(_ random: inout SplitMix) -> Input {
                    clock_ms += Stranger.step_ms(&random)
                    return Stranger.input(at: RecorderFixture.time(milliseconds: clock_ms), &random)
                }
                var fixture = RestorableFixture(.init(settings: .test(before, waitingEvents: 20)))
                for _ in 0..<200 { fixture.apply(input(&random)) }
                let state = fixture.save()
                var other = try RestorableFixture(
                    state, fixture.segments, .init(settings: .test(after, waitingEvents: 20)))
                try #require(other.recorder.checkInvariants() == [])
                for _ in 0..<60 {
                    other.apply(input(&random))
                    try #require(other.recorder.checkInvariants() == [])
                }
            }
        }
    }

    private func event(_ body: Event.Body, in room: Room = .office, at second: Int64) -> Input {
        .event(
            Event(id: "EV_\(second)", createdAt: RecorderFixture.opening_s + second, room: room, body: body),
            receivedAt: RecorderFixture.time(second))
    }
}
