import LiveKit
import Metrics
import Platform
import Storage
import Testing
import Wire

@testable import Recording

@Suite struct RuleTests {
    @Test func `a duration is believed from -2 s to 7 days`() {
        #expect(DurationRule.between(0, 1_500) == .plausible(seconds: 1.5))
        #expect(DurationRule.between(2_000, 0) == .plausible(seconds: 0))
        #expect(DurationRule.between(2_001, 0) == .implausible)
        #expect(DurationRule.between(0, 7 * 86_400_000) == .plausible(seconds: 604_800))
        #expect(DurationRule.between(0, 7 * 86_400_000 + 1) == .implausible)
        #expect(DurationRule.between(.min, .max) == .implausible)
        #expect(DurationRule.between(.max, .min) == .implausible)
        #expect(DurationRule.length(nanoseconds: .max) == .implausible)
        #expect(DurationRule.between(nanoseconds: .min, .max) == .implausible)
        #expect(DurationRule.between(nanoseconds: 0, 250_000_000) == .plausible(seconds: 0.25))
    }

    @Test func `a canonical number is its own user id, everything else a negative hash`() {
        func id(_ identity: String) -> Int64 { UserID.of(identity) { UInt64($0.utf8.count) } }
        #expect(id("0") == 0)
        #expect(id("42") == 42)
        #expect(id("9223372036854775807") == .max)
        for other in ["9223372036854775808", "007", "00", "", "-1", "+1", "4 2", "4२", "anna", "12345678901234567890"] {
            #expect(id(other) == Int64.min + Int64(other.utf8.count), "\(other)")
        }
    }

    @Test func `the hash of an identity is the start of its SHA-256, sign bit set`() {
        func id(_ identity: String) -> Int64 { UserID.of(identity) { Digest(of: Array($0.utf8).span).prefix } }
        #expect(id("abc") == Int64(bitPattern: 0xBA78_16BF_8F01_CFEA))
        #expect(id("hello") == Int64(bitPattern: 0xACF2_4DBA_5FB0_A30E))
    }

    @Test func `facts keep bits and attempts apart`() {
        var facts = Facts.none
        #expect(facts.startedAttempt == -1 && facts.endedAttempt == -1)
        for attempt in [0, 1, Facts.lastAttempt] {
            facts.startedAttempt = attempt
            facts.endedAttempt = Facts.lastAttempt - attempt
            facts.isClosed = true
            #expect(facts.startedAttempt == attempt && facts.endedAttempt == Facts.lastAttempt - attempt)
            #expect(facts.isClosed && !facts.isStartCounted && !facts.isEndCounted)
        }
        let both = Facts(isStartCounted: true).union(Facts(isEndCounted: true, isClosed: true))
        #expect(both == Facts(isStartCounted: true, isEndCounted: true, isClosed: true))
    }

    @Test func `offsets of label values are their places in the lists of labels`() {
        #expect(EventType.allCases.map(\.ordinal) == Array(EventType.allCases.indices))
        #expect(Track.Source.allCases.map(\.ordinal) == Array(Track.Source.allCases.indices))
        #expect(Track.Medium.allCases.map(\.ordinal) == Array(Track.Medium.allCases.indices))
        #expect(Egress.RequestType.allCases.map(\.ordinal) == Array(Egress.RequestType.allCases.indices))
        #expect(Ingress.InputType.allCases.map(\.ordinal) == Array(Ingress.InputType.allCases.indices))
        #expect(LookupError.allCases.map(\.ordinal) == Array(LookupError.allCases.indices))
        #expect(JobResult.allCases.map(\.ordinal) == Array(JobResult.allCases.indices))
        #expect(EntityKind.allCases.map(\.ordinal) == Array(EntityKind.allCases.indices))
        #expect(Correction.allCases.map(\.ordinal) == Array(Correction.allCases.indices))
        #expect(WaitRelease.allCases.map(\.ordinal) == Array(WaitRelease.allCases.indices))
        let track = Track(source: .screen_share, type: .video)
        #expect(MetricLabels.track.combinations[track.ordinal] == ["screen_share", "video"])
    }

    @Test func `a queue gives back what it was given, in order`() {
        var queue = Deque<Int>()
        var next = 0
        for number in 0..<1_000 {
            queue.append(number)
            if number % 3 == 0 {
                #expect(queue.popFirst() == next)
                next += 1
            }
        }
        while let number = queue.popFirst() {
            #expect(number == next)
            next += 1
        }
        #expect(next == 1_000 && queue.count == 0)
    }
}

@Suite struct RememberedIDsTests {
    private func time(_ second: Int64) -> Timestamp { Timestamp(seconds: second) }

    @Test func `ids are remembered with their facts until they expire`() {
        var ids = RememberedIDs(limit: 100)
        ids.remember(Fingerprint("a"), Facts(isStartCounted: true), at: time(10))
        ids.remember(Fingerprint("b"), at: time(20))
        ids.remember(Fingerprint("a"), Facts(isClosed: true), at: time(30))
        #expect(ids[Fingerprint("a")] == Facts(isStartCounted: true, isClosed: true))
        #expect(ids[Fingerprint("b")] == Facts.none)
        #expect(ids[Fingerprint("c")] == nil)
        ids.expire(upTo: time(9))
        #expect(ids.count == 2)
        ids.expire(upTo: time(20))
        #expect(ids[Fingerprint("b")] == nil)
        #expect(ids.count == 1)
        ids.expire(upTo: time(30))
        #expect(ids[Fingerprint("a")] == nil)
        #expect(ids.count == 0 && ids.forgotten == 0)
    }

    @Test func `what becomes known of an id is remembered as long as what was known before`() {
        var ids = RememberedIDs(limit: 100)
        ids.remember(Fingerprint("a"), Facts(isClosed: true), at: time(10))
        ids.remember(Fingerprint("b"), at: time(20))
        ids.remember(Fingerprint("a"), Facts(isEndCounted: true), at: time(30))
        // The same again is nothing new.
        ids.remember(Fingerprint("a"), Facts(isEndCounted: true), at: time(40))
        for number in 0..<20 { ids.remember(Fingerprint("\(number)"), at: time(41)) }
        ids.expire(upTo: time(29))
        #expect(ids[Fingerprint("a")] == Facts(isEndCounted: true, isClosed: true))
        #expect(ids[Fingerprint("b")] == nil)
        ids.expire(upTo: time(30))
        #expect(ids[Fingerprint("a")] == nil)
        #expect(ids.count == 20 && ids.forgotten == 0)
    }

    @Test func `a full memory forgets the oldest and counts it`() {
        var ids = RememberedIDs(limit: 3)
        for number in 0..<5 { ids.remember(Fingerprint("\(number)"), at: time(Int64(number))) }
        #expect((0..<5).map { ids[Fingerprint("\($0)")] != nil } == [false, false, true, true, true])
        #expect(ids.count == 3 && ids.forgotten == 2)
    }

    @Test(arguments: [1, 2, 3, 4, 5] as [UInt64])
    func `it agrees with a dictionary whatever happens`(seed: UInt64) {
        var random = SplitMix(seed: seed)
        var ids = RememberedIDs(limit: 200)
        var model: [(id: Int, time: Int64)] = []
        for second in 0..<Int64(5_000) {
            let id = Int(random.next() % 400)
            ids.remember(Fingerprint("TR_\(id)"), at: time(second))
            if !model.contains(where: { $0.id == id }) {
                if model.count == 200 { model.removeFirst() }
                model.append((id, second))
            }
            if random.next() % 50 == 0 {
                let oldest = second - Int64(random.next() % 300)
                ids.expire(upTo: time(oldest))
                model.removeAll { $0.time <= oldest }
            }
            #expect(ids.count == model.count)
            let probe = Int(random.next() % 400)
            #expect((ids[Fingerprint("TR_\(probe)")] != nil) == model.contains { $0.id == probe }, "seed \(seed)")
        }
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `facts grow, and an id is remembered from its last new one`(seed: UInt64) {
        var random = SplitMix(seed: seed)
        var ids = RememberedIDs(limit: 10_000)
        var model: [Int: (facts: Facts, time: Int64)] = [:]
        for second in 0..<Int64(5_000) {
            let id = Int(random.next() % 300)
            let facts = Facts(bits: UInt16(random.next() % 8))
            ids.remember(Fingerprint("TR_\(id)"), facts, at: time(second))
            let old = model[id]
            let all = old?.facts.union(facts) ?? facts
            if old?.facts != all { model[id] = (all, second) }
            if random.next() % 40 == 0 {
                let oldest = second - Int64(random.next() % 400)
                ids.expire(upTo: time(oldest))
                model = model.filter { $0.value.time > oldest }
            }
            let probe = Int(random.next() % 300)
            #expect(ids[Fingerprint("TR_\(probe)")] == model[probe]?.facts, "seed \(seed)")
            #expect(ids.count == model.count, "seed \(seed)")
        }
        #expect(ids.forgotten == 0)
    }

    @Test func `fingerprints of similar ids differ`() {
        var seen: Set<Fingerprint> = []
        for number in 0..<100_000 { seen.insert(Fingerprint("TR_\(number)")) }
        for number in 0..<100_000 { seen.insert(Fingerprint("PA_\(number)")) }
        #expect(seen.count == 200_000)
        #expect(Fingerprint("") != Fingerprint("\0"))
    }
}
