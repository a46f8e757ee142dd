import Platform
import Testing
import Wire

@testable import Recording

/// Remembered ids that are saved piece by piece are the same as those that were never saved.
@Suite struct SavedIDsTests {
    @Test(arguments: Array(1...20) as [UInt64])
    func `restored at any moment, they remember and forget the same`(seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        let limit = [5, 16, 40][Int(seed) % 3]
        var original = RememberedIDs(limit: limit)
        var restored = RememberedIDs(limit: limit)
        var runs: [IDRun] = []
        var clock_ms: Int64 = 1_000
        for step in 0..<2_000 {
            clock_ms += Int64(random.next() % 20) - 4
            let time = Timestamp(milliseconds: clock_ms)
            let id = Fingerprint("\(random.next() % 60)")
            switch random.next() % 12 {
            case 0:
                original.expire(upTo: time - .milliseconds(100))
                restored.expire(upTo: time - .milliseconds(100))
            case 1...4: try #require(original.insert(id, at: time) == restored.insert(id, at: time), "step \(step)")
            default:
                let facts = Facts(bits: UInt16(random.next() % 8))
                original.remember(id, facts, at: time)
                restored.remember(id, facts, at: time)
            }
            try #require(original[id] == restored[id] && original.count == restored.count, "step \(step)")
            guard random.next() % 40 == 0 else { continue }
            if random.next() % 10 == 0 {
                runs = []
                restored.saveAgain()
            }
            while let run = restored.takeUnsaved(most: 7) { runs.append(run) }
            // A piece of which nothing is remembered any more may be gone.
            runs.removeAll { $0.first + UInt64($0.count) <= restored.first }
            let (first, next) = (restored.first, restored.next)
            restored = RememberedIDs(limit: limit)
            #expect(try restored.restore(runs, first: first, next: next) == 0)
            for number in 0..<60 {
                let id = Fingerprint("\(number)")
                try #require(original[id] == restored[id], "step \(step)")
            }
        }
    }

    @Test(arguments: [3, 16, 17, 100, 200])
    func `of more ids than may be remembered now, the newest are restored and the others count as forgotten`(
        limit: Int
    ) throws {
        var ids = RememberedIDs(limit: 200)
        var runs: [IDRun] = []
        for number in 0..<100 {
            ids.remember(Fingerprint("\(number)"), at: Timestamp(milliseconds: Int64(number) + 1))
            if number % 7 == 0, let run = ids.takeUnsaved(most: 100) { runs.append(run) }
        }
        if let run = ids.takeUnsaved(most: 100) { runs.append(run) }
        var restored = RememberedIDs(limit: limit)
        #expect(try restored.restore(runs, first: ids.first, next: ids.next) == 0)
        let kept = min(limit, 100)
        #expect(restored.count == kept && restored.forgotten == 100 - kept && restored.next == ids.next)
        for number in 0..<100 { #expect((restored[Fingerprint("\(number)")] != nil) == (number >= 100 - kept)) }
    }

    @Test func `more than a million ids are remembered where that is asked for`() {
        var ids = RememberedIDs(limit: 1_100_000)
        // The lowest bits are the same for many, so that places at the end of the ring are compared, too.
        func id(_ number: UInt64) -> Fingerprint { Fingerprint(bits: number &* 0x9E37_79B9_7F4A_7C15) }
        for number in 1...(1_100_001 as UInt64) { ids.remember(id(number), at: Timestamp(milliseconds: Int64(number))) }
        #expect(ids.count == 1_100_000 && ids.forgotten == 1)
        #expect(ids[id(1)] == nil && ids[id(2)] != nil && ids[id(1_048_577)] != nil && ids[id(1_100_001)] != nil)
    }

    @Test func `what is missing is not remembered, and keeps its place`() throws {
        var ids = RememberedIDs(limit: 8)
        func id(_ number: Int) -> Fingerprint { Fingerprint("\(number)") }
        var runs: [IDRun] = []
        for number in 0..<8 {
            ids.remember(id(number), Facts(isClosed: true), at: Timestamp(milliseconds: Int64(number) + 1))
            if let run = ids.takeUnsaved(most: 8) { runs.append(run) }
        }
        runs.removeSubrange(3...4)
        var restored = RememberedIDs(limit: 8)
        #expect(try restored.restore(runs, first: 0, next: 8) == 2)
        #expect((0..<8).map { restored[id($0)] != nil } == [true, true, true, false, false, true, true, true])
        // One more: the oldest goes, as it would have.
        restored.remember(id(9), at: Timestamp(milliseconds: 9))
        #expect(restored[id(0)] == nil && restored[id(1)] != nil && restored.first == 1)
        restored.expire(upTo: Timestamp(milliseconds: 6))
        #expect(restored[id(5)] == nil && restored[id(6)] != nil)
        #expect(throws: MessageFault.self) { try restored.restore([], first: 9, next: 8) }
        let tooMany = UInt64(Limits.mostRemembered) + 1
        #expect(throws: MessageFault.self) { try restored.restore([], first: 0, next: tooMany) }
    }
}
