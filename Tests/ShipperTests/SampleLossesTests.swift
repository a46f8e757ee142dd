import Platform
import Testing
import Wire

@testable import Shipper

/// Log lines about lost samples: never silence, never more than one a minute, and every sample in exactly one line.
@Suite struct SampleLossesTests {
    private func at(_ seconds: Int) -> MonotonicTime { MonotonicTime(nanoseconds: Int64(seconds) * 1_000_000_000) }
    private func wall(_ seconds: Int) -> Timestamp { Timestamp(seconds: 1_790_000_000 + Int64(seconds)) }

    private func loss(_ losses: inout SampleLosses, at seconds: Int, isLast: Bool = false) -> SampleLosses.Loss? {
        if case .lost(let loss) = losses.notice(at: at(seconds), isLast: isLast) { loss } else { nil }
    }

    @Test func `the first loss is told at once, the next ones once a minute with what it took`() {
        var losses = SampleLosses()
        #expect(losses.notice(at: at(0)) == nil && losses.dueAt == nil)
        losses.note(3_810, status: 404, answer: "not found", at: at(0), wall: wall(0))
        let first = loss(&losses, at: 0)
        #expect(first?.samples == 3_810 && first?.inAll == 3_810 && first?.since == wall(0) && first?.status == 404)
        for second in stride(from: 15, to: 60, by: 15) {
            losses.note(184, status: 404, answer: "not found", at: at(second), wall: wall(second))
            #expect(losses.notice(at: at(second)) == nil)
        }
        // Nothing more is lost, but the samples before are still reported.
        #expect(losses.dueAt == at(60))
        #expect(losses.notice(at: at(59)) == nil)
        let second = loss(&losses, at: 60)
        #expect(second?.samples == 552 && second?.inAll == 4_362 && second?.since == wall(0))
        #expect(losses.notice(at: at(1_000)) == nil, "without an accepted sample it is not over")
    }

    @Test func `a line names how many each status code took`() {
        var losses = SampleLosses()
        losses.note(1, status: 400, answer: "old", at: at(0), wall: wall(0))
        _ = losses.notice(at: at(0))
        losses.note(2, status: 413, answer: "large", at: at(1), wall: wall(1))
        losses.note(3, status: 400, answer: "bad", at: at(2), wall: wall(2))
        losses.note(4, status: 413, answer: "too large", at: at(3), wall: wall(3))
        let told = loss(&losses, at: 60)
        #expect(told?.codes == [400: 3, 413: 6] && told?.answer == "too large" && told?.samples == 9)
    }

    @Test func `it is over when nothing was lost for a minute and samples were taken`() {
        var losses = SampleLosses()
        losses.note(5, status: 400, at: at(0), wall: wall(0))
        _ = losses.notice(at: at(0))
        losses.noteAccepted()
        losses.note(6, status: 400, at: at(30), wall: wall(30))
        losses.noteAccepted()
        #expect(loss(&losses, at: 60)?.samples == 6)
        #expect(losses.dueAt == at(90))
        #expect(losses.notice(at: at(89)) == nil)
        #expect(losses.notice(at: at(90)) == .over(inAll: 11, since: wall(0)))
        #expect(losses.dueAt == nil)
        losses.note(7, status: 400, at: at(91), wall: wall(91))
        let next = loss(&losses, at: 91)
        #expect(next?.inAll == 7 && next?.since == wall(91), "a new one begins")
    }

    @Test func `at the end everything is told`() {
        var losses = SampleLosses()
        losses.note(5, status: 400, at: at(0), wall: wall(0))
        _ = losses.notice(at: at(0))
        #expect(losses.notice(at: at(1), isLast: true) == nil)
        losses.note(6, status: 400, at: at(2), wall: wall(2))
        #expect(loss(&losses, at: 3, isLast: true)?.samples == 6)
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func `whatever happens, every lost sample is in one line, and lines are a minute apart`(_ seed: UInt64) {
        var state = seed
        func random(_ limit: UInt64) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % limit)
        }
        var losses = SampleLosses()
        var (lost, told, last) = (0, 0, -60)
        for second in 0..<2_000 {
            if random(9) == 0 { losses.noteAccepted() }
            if random(7) == 0 && second % 500 < 300 {
                let samples = random(100) + 1
                lost += samples
                losses.note(samples, status: 400 + random(3), at: at(second), wall: wall(second))
            }
            switch losses.notice(at: at(second)) {
            case .lost(let loss):
                told += loss.samples
                #expect(second - last >= 60)
                #expect(loss.codes.values.reduce(0, +) == loss.samples)
                last = second
            case .over: #expect(told == lost)
            case nil: #expect(lost == told || second - last < 60)
            }
        }
        if let rest = loss(&losses, at: 2_000, isLast: true) { told += rest.samples }
        #expect(told == lost && lost > 0)
    }
}
