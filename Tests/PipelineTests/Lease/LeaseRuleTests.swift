import Journal
import Platform
import TestSupport
import Testing

@testable import Pipeline

@Suite struct LeaseRuleTests {
    private let ttl = Duration.seconds(4)

    private func record(epoch: Int64 = 1, renewal: Int64 = 1, hasExpired: Bool = false) -> LeaseRecord {
        var record = LeaseRecord()
        (record.epoch, record.renewal, record.hasExpired) = (epoch, renewal, hasExpired)
        return record
    }

    private func at(_ milliseconds: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: milliseconds * 1_000_000) }

    @Test func `it looks four times within a lease`() {
        #expect(LeaseRule(ttl: ttl).pace == .seconds(1))
    }

    @Test func `a lease that has expired or was released is taken at once`() {
        var rule = LeaseRule(ttl: ttl)
        #expect(rule.step(after: record(hasExpired: true), at: at(0)) == .take(.expired))
        var released = record()
        (released.hasExpired, released.isReleased) = (true, true)
        #expect(rule.step(after: released, at: at(1)) == .take(.expired))
    }

    @Test func `a lease that is renewed is left alone for ever`() {
        var rule = LeaseRule(ttl: ttl)
        for second in 0..<100 as Range<Int64> {
            #expect(rule.step(after: record(renewal: second / 4), at: at(second * 1_000)) == .wait)
        }
    }

    @Test func `a renewal that stands still for a second longer than a lease ends it`() {
        var rule = LeaseRule(ttl: ttl)
        for moment in [0, 1_000, 3_000, 4_999] as [Int64] {
            #expect(rule.step(after: record(renewal: 7), at: at(moment)) == .wait)
        }
        #expect(rule.step(after: record(renewal: 7), at: at(5_000)) == .take(.stoodStill(renewal: 7)))
        // It was not taken: the next look says the same.
        #expect(rule.step(after: record(renewal: 7), at: at(6_000)) == .take(.stoodStill(renewal: 7)))
        #expect(rule.step(after: record(renewal: 8), at: at(7_000)) == .wait)
    }

    @Test func `a failed look begins the count anew`() {
        var rule = LeaseRule(ttl: ttl)
        #expect(rule.step(after: record(), at: at(0)) == .wait)
        #expect(rule.step(after: record(), at: at(4_000)) == .wait)
        rule.noteFailure()
        #expect(rule.step(after: record(), at: at(6_000)) == .wait)
        #expect(rule.step(after: record(), at: at(10_999)) == .wait)
        #expect(rule.step(after: record(), at: at(11_000)) == .take(.stoodStill(renewal: 1)))
    }

    @Test func `another epoch begins the count anew, also under the same renewal`() {
        var rule = LeaseRule(ttl: ttl)
        #expect(rule.step(after: record(epoch: 1), at: at(0)) == .wait)
        #expect(rule.step(after: record(epoch: 2), at: at(5_000)) == .wait)
        #expect(rule.step(after: record(epoch: 2), at: at(9_999)) == .wait)
        #expect(rule.step(after: record(epoch: 2), at: at(10_000)) == .take(.stoodStill(renewal: 1)))
    }

    @Test(arguments: 0..<200)
    func `it never takes a lease that may have been renewed`(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        var rule = LeaseRule(ttl: ttl)
        var now: Int64 = 0
        var renewal: Int64 = 0
        /// The looks since the last failure or change: all of them saw the same renewal.
        var firstSame: Int64?
        for _ in 0..<200 {
            now += Int64.random(in: 1...3_000, using: &random)
            switch Int.random(in: 0..<10, using: &random) {
            case 0:
                rule.noteFailure()
                firstSame = nil
                continue
            case 1:
                renewal += 1
                firstSame = nil
            default: break
            }
            let since = firstSame ?? now
            firstSame = since
            let step = rule.step(after: record(renewal: renewal), at: at(now))
            #expect(step == (now - since >= 5_000 ? .take(.stoodStill(renewal: renewal)) : .wait))
        }
    }
}
