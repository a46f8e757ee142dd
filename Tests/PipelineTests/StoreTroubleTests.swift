import Platform
import Testing

@testable import Pipeline

/// The notices about a database that fails, as a transcript.
@Suite struct StoreTroubleTests {
    private func at(_ seconds: Double) -> MonotonicTime {
        MonotonicTime(nanoseconds: Int64(seconds * 1_000_000_000))
    }

    private var trouble: StoreTrouble { StoreTrouble(at: at(0)) }

    @Test func `a loss is told once, and the return once, with how long and how many rows`() {
        var trouble = trouble
        #expect(trouble.failed(.write, isGeneral: true, at: at(10)) == .away(untold: 0))
        for second in 11..<200 { #expect(trouble.failed(.open, isGeneral: true, at: at(Double(second))) == nil) }
        #expect(trouble.isAway)
        #expect(trouble.succeeded(.open, at: at(200)) == nil)
        #expect(trouble.isAway, "rows were not written yet")
        trouble.wrote(500, of: 500)
        #expect(trouble.succeeded(.write, at: at(201)) == nil)
        #expect(!trouble.isAway)
        #expect(trouble.returned(rowsWaiting: 121, at: at(201)) == nil)
        // The database refused one of the rows, and others have come meanwhile.
        trouble.wrote(120, of: 121)
        #expect(trouble.succeeded(.write, at: at(202)) == nil)
        #expect(
            trouble.returned(rowsWaiting: 40, at: at(202))
                == .back(after: .seconds(191), failures: 190, rowsWritten: 620))
        #expect(trouble.returned(rowsWaiting: 0, at: at(203)) == nil)
    }

    @Test func `the return is told though its rows take long`() {
        var trouble = trouble
        _ = trouble.failed(.write, isGeneral: true, at: at(1))
        _ = trouble.succeeded(.write, at: at(2))
        #expect(trouble.returned(rowsWaiting: 900, at: at(31)) == nil)
        #expect(
            trouble.returned(rowsWaiting: 900, at: at(32))
                == .back(after: .seconds(1), failures: 1, rowsWritten: 0))
        _ = trouble.failed(.write, isGeneral: true, at: at(40))
        _ = trouble.succeeded(.write, at: at(41))
        // At a stop the return is told at once.
        #expect(trouble.returned(rowsWaiting: 900, at: at(41)) == nil)
        #expect(trouble.returned(rowsWaiting: 900, isLast: true, at: at(42)) != nil)
    }

    @Test func `what nobody waits for any more does not keep it away`() {
        var trouble = trouble
        _ = trouble.failed(.lookup, isGeneral: true, at: at(1))
        _ = trouble.succeeded(.open, at: at(2))
        #expect(trouble.isAway)
        _ = trouble.succeeded(.open, idle: [.lookup], at: at(3))
        #expect(!trouble.isAway)
    }

    @Test func `a database that hangs is one trouble, whatever finds it`() {
        var trouble = trouble
        #expect(trouble.failed(.write, isGeneral: true, at: at(1)) == .away(untold: 0))
        for operation in StoreOperation.jobs + [.lookup] {
            #expect(trouble.failed(operation, isGeneral: true, at: at(2)) == nil)
        }
        // The database connects and hangs again. That is no return.
        #expect(trouble.succeeded(.open, at: at(3)) == nil)
        #expect(trouble.isAway)
        #expect(trouble.failed(.write, isGeneral: true, at: at(4)) == nil)
    }

    @Test func `one that goes while its rows are still being written has not returned`() {
        var trouble = trouble
        _ = trouble.failed(.write, isGeneral: true, at: at(1))
        _ = trouble.succeeded(.write, at: at(2))
        #expect(trouble.failed(.write, isGeneral: true, at: at(3)) == nil)
        _ = trouble.succeeded(.write, at: at(5))
        #expect(
            trouble.returned(rowsWaiting: 0, at: at(5))
                == .back(after: .seconds(4), failures: 2, rowsWritten: 0))
    }

    @Test func `one that goes and comes back again and again makes no flood, and its last state is told`() {
        var trouble = trouble
        var (gone, back, untold) = (0, 0, 0)
        // The database goes and comes back every second, for ten minutes.
        for second in 0..<600 {
            if case .away(let count) = trouble.failed(.write, isGeneral: true, at: at(Double(second))) {
                gone += 1
                untold += count
            }
            _ = trouble.succeeded(.write, at: at(Double(second) + 0.5))
            if trouble.returned(rowsWaiting: 0, at: at(Double(second) + 0.5)) != nil { back += 1 }
        }
        // Three notices come at once, then one a minute.
        #expect(gone == 12 && back == gone)
        #expect(untold > 500 && untold + gone <= 600)
        // A database that stays away is told as soon as a notice is allowed.
        let told = (600..<700).first { trouble.failed(.open, isGeneral: true, at: at(Double($0))) != nil }
        #expect(told == 600)
        #expect(trouble.isAway)
    }

    @Test func `one too many that lasts is told a little later`() {
        var trouble = trouble
        for second in [1.0, 2, 3] {
            #expect(trouble.failed(.open, isGeneral: true, at: at(second)) != nil)
            _ = trouble.succeeded(.open, at: at(second))
            #expect(trouble.returned(rowsWaiting: 0, at: at(second)) != nil)
        }
        #expect(trouble.failed(.open, isGeneral: true, at: at(4)) == nil)
        #expect(trouble.failed(.open, isGeneral: true, at: at(59)) == nil)
        #expect(trouble.failed(.open, isGeneral: true, at: at(61)) == .away(untold: 0))
        _ = trouble.succeeded(.open, at: at(70))
        #expect(
            trouble.returned(rowsWaiting: 0, at: at(70))
                == .back(after: .seconds(66), failures: 3, rowsWritten: 0))
    }

    @Test func `one operation that fails by itself is told by itself, and hides no loss`() {
        var trouble = trouble
        #expect(trouble.failed(.licenses, isGeneral: false, at: at(1)) == .failing(untold: 0))
        #expect(trouble.failed(.licenses, isGeneral: false, at: at(30)) == nil)
        #expect(!trouble.isAway)
        #expect(trouble.failed(.write, isGeneral: true, at: at(40)) == .away(untold: 0))
        // The database answers this operation, too, if only with a refusal.
        #expect(trouble.failed(.licenses, isGeneral: false, at: at(50)) == nil)
        _ = trouble.succeeded(.write, at: at(60))
        #expect(trouble.returned(rowsWaiting: 0, at: at(60)) != nil)
        #expect(trouble.succeeded(.licenses, at: at(91)) == .doesAgain(after: .seconds(90), failures: 3))
    }

    @Test func `what lasts is told again now and then`() {
        var trouble = trouble
        _ = trouble.failed(.open, isGeneral: true, at: at(0))
        _ = trouble.failed(.licenses, isGeneral: false, at: at(0))
        let times = (1...1_800).filter { trouble.failed(.open, isGeneral: true, at: at(Double($0))) != nil }
        #expect(times == [600, 1_200, 1_800])
        #expect(
            trouble.failed(.licenses, isGeneral: false, at: at(1_800)) == .stillFailing(for: .seconds(1_800)))
    }
}
