import Platform
import Simulation
import Testing

@Suite struct ProgressLineTests {
    private func tally(answered: Int, lag_seconds: Double = 0) -> Tally {
        var tally = Tally()
        tally.statuses[200] = answered
        tally.lag_seconds = lag_seconds
        return tally
    }

    private func progress(_ elapsed: Int, _ left: Int, waiting: Int = 0) -> Simulator.Progress {
        .init(elapsed: .seconds(elapsed), left: .seconds(left), waiting: waiting)
    }

    @Test func `rate and lag are those of the last two seconds, however often a line is written`() {
        var line = ProgressLine()
        var text = ""
        for tenth in 0...100 {
            // 100 in a second until the fifth, then 20; always in bursts at whole seconds.
            let answered = tenth <= 50 ? tenth / 10 * 100 : 500 + (tenth / 10 - 5) * 20
            text = line.text(
                tally(answered: answered), .init(elapsed: .milliseconds(tenth * 100), left: .zero, waiting: 7))
            if tenth == 50 { #expect(text.hasPrefix("100%  100/s  waiting 7  answered 200: 500")) }
        }
        #expect(text.hasPrefix("100%  20/s  waiting 7  answered 200: 600"))
    }

    @Test func `rate and lag are those since the line before where that is longer ago`() {
        var line = ProgressLine()
        #expect(
            line.text(tally(answered: 100, lag_seconds: 0.5), progress(10, 90))
                == " 10%  10/s  left 1:30  answered 200: 100  lag 5 ms")
        #expect(
            line.text(tally(answered: 140, lag_seconds: 1.3), progress(20, 80))
                == " 20%  4/s  left 1:20  answered 200: 140  lag 20 ms")
    }

    @Test func `the bar takes the room that the words leave`() {
        var line = ProgressLine()
        #expect(line.text(tally(answered: 0), progress(0, 60), columns: 80).hasPrefix("[----------------]   0%  0/s"))
        #expect(line.text(tally(answered: 0), progress(30, 30), columns: 80).hasPrefix("[########--------]  50%  0/s"))
        #expect(line.text(tally(answered: 0), progress(60, 0), columns: 80).hasPrefix("[################] 100%  0/s"))
        #expect(line.text(tally(answered: 0), progress(30, 30), columns: 300).prefix { $0 != " " }.count == 42)
        #expect(line.text(tally(answered: 0), progress(30, 30), columns: 70).hasPrefix(" 50%  0/s"))
    }

    @Test func `a line never reaches the last column`() {
        var tally = tally(answered: 1_000_000_000, lag_seconds: 1e9)
        tally.retried = 1_000_000
        tally.lost = 1_000_000
        tally.problem = String(repeating: "the receiver is gone; ", count: 20)
        for columns in 0...300 {
            var line = ProgressLine()
            _ = line.text(tally, progress(1, 59))
            let text = line.text(tally, progress(30, 30, waiting: 1), columns: columns)
            #expect(text.count <= max(0, columns - 1))
        }
    }

    @Test func `100 % means that everything was due`() {
        var line = ProgressLine()
        #expect(line.text(tally(answered: 0), progress(9_999, 1)).hasPrefix(" 99%"))
        #expect(line.text(tally(answered: 0), progress(0, 0)).hasPrefix("100%"))
    }
}
