import Platform
import Testing
import Wire

/// The difference between this machine's clock and another one, from what answers and tokens tell.
@Suite struct ClockSkewTests {
    private let skew = ClockSkew()
    private static let noon = Timestamp(seconds: 20_724 * 86_400 + 43_200)

    private func at(_ seconds: Double) -> MonotonicTime {
        MonotonicTime(nanoseconds: 1_000_000_000) + .seconds(seconds)
    }

    /// The interval of an answer with whole seconds, if this machine is ahead by `ahead`. The other clock is read in the
    /// middle of the exchange.
    private func answer(
        ahead: Duration, second: Duration = .milliseconds(300), took: Duration = .milliseconds(20)
    ) -> ClockInterval {
        let moment = Self.noon + second
        let told = Timestamp(seconds: moment.milliseconds / 1_000)
        return ClockInterval(
            told: told, roundedTo: .seconds(1), receivedAt: moment + ahead + took / 2, took: took)
    }

    private func seconds(_ peer: ClockSkew.Peer, _ time: MonotonicTime) -> Double? {
        skew.difference(from: peer, at: time).map { $0.inSeconds }
    }

    // MARK: One answer

    @Test(arguments: [0, 1, 300, 999], [Duration.milliseconds(1), .milliseconds(400), .seconds(25)])
    func `what one answer proves is never more than the difference`(second: Int, took: Duration) {
        for ahead in [-3_600_000, -31_000, -400, -1, 0, 1, 400, 31_000, 3_600_000] {
            let difference = Duration.milliseconds(ahead)
            let interval = answer(ahead: difference, second: .milliseconds(second), took: took)
            #expect(interval.least <= difference && difference <= interval.most)
            let proven = interval.proven
            #expect(ahead < 0 ? difference <= proven && proven <= .zero : .zero <= proven && proven <= difference)
            // It is not much less either: the second of the header, and the exchange.
            #expect(max(proven - difference, difference - proven) <= .seconds(1) + took + .milliseconds(1))
        }
    }

    // MARK: Several answers

    @Test func `answers at different moments of a second come close to the difference`() throws {
        for (number, second) in [50, 950, 400, 700].enumerated() {
            let now = at(Double(number) * 15)
            skew.note(
                receiver: 0, answer(ahead: .milliseconds(1_300), second: .milliseconds(second)), at: now)
        }
        let found = try #require(seconds(.receiver, at(45)))
        #expect(found > 1.1 && found <= 1.3)
    }

    @Test func `a difference below a second of rounding is none`() {
        for number in 0..<100 {
            // The exchanges take long now and then.
            let took = Duration.milliseconds(number % 10 == 0 ? 9_000 : 30)
            let interval = answer(ahead: .milliseconds(300), second: .milliseconds(number * 37 % 1_000), took: took)
            skew.note(receiver: 0, interval, at: at(Double(number)))
            #expect(seconds(.receiver, at(Double(number))).map { 0...0.3 ~= $0 } == true)
        }
    }

    @Test func `one answer that contradicts the others changes nothing, two that agree do`() throws {
        skew.note(receiver: 0, answer(ahead: .zero), at: at(0))
        skew.note(receiver: 0, answer(ahead: .seconds(-90)), at: at(15))
        #expect(seconds(.receiver, at(15)) == 0)
        skew.note(receiver: 0, answer(ahead: .zero), at: at(30))
        skew.note(receiver: 0, answer(ahead: .seconds(-90)), at: at(45))
        #expect(seconds(.receiver, at(45)) == 0)
        skew.note(receiver: 0, answer(ahead: .seconds(-90)), at: at(60))
        let found = try #require(seconds(.receiver, at(60)))
        #expect(-90 <= found && found < -88)
        // Back again, as after NTP has set the clock.
        skew.note(receiver: 0, answer(ahead: .zero), at: at(75))
        skew.note(receiver: 0, answer(ahead: .zero), at: at(90))
        #expect(seconds(.receiver, at(90)) == 0)
    }

    @Test func `clocks that drift apart contradict nothing`() throws {
        // 200 millionths: 72 s in 100 hours.
        for hour in 0...100 {
            for answered in 0..<4 {
                let time = Double(hour * 3_600 + answered * 15)
                let interval = answer(ahead: .seconds(time * 0.0002), second: .milliseconds(answered * 250))
                skew.note(receiver: 0, interval, at: at(time))
            }
        }
        let found = try #require(seconds(.receiver, at(360_045)))
        #expect(71 < found && found <= 72.01)
    }

    // MARK: Peers

    @Test func `nothing is known before the first measurement, and each peer has its own`() {
        for peer in ClockSkew.Peer.allCases { #expect(skew.difference(from: peer, at: at(0)) == nil) }
        skew.note(database: answer(ahead: .seconds(40)), at: at(0))
        #expect(seconds(.database, at(0)).map { 38...40 ~= $0 } == true)
        #expect(seconds(.receiver, at(0)) == nil && seconds(.livekit, at(0)) == nil)
        #expect(ClockSkew.Peer.allCases.map(\.rawValue) == ["receiver", "database", "livekit"])
    }

    @Test func `of several receivers the first one counts, and another one while that is silent`() {
        skew.note(receiver: 1, answer(ahead: .seconds(100)), at: at(0))
        #expect(seconds(.receiver, at(0)).map { $0 > 90 } == true)
        skew.note(receiver: 0, answer(ahead: .seconds(-100)), at: at(1))
        skew.note(receiver: 1, answer(ahead: .seconds(100)), at: at(800))
        #expect(seconds(.receiver, at(900)).map { $0 < -90 } == true)
        #expect(seconds(.receiver, at(902)).map { $0 > 90 } == true)
    }

    @Test func `a measurement of more than 15 min ago does not count any more`() {
        skew.note(receiver: 0, answer(ahead: .seconds(100)), at: at(0))
        skew.note(database: answer(ahead: .seconds(100)), at: at(0))
        skew.note(token: Self.noon, receivedAt: Self.noon + .seconds(100))
        for peer in ClockSkew.Peer.allCases {
            #expect(skew.difference(from: peer, at: at(0)) != nil)
            #expect(skew.difference(from: peer, at: at(900)) != nil)
            #expect(skew.difference(from: peer, at: at(901)) == nil)
        }
        // What comes then is not held against what was then.
        skew.note(receiver: 0, answer(ahead: .zero), at: at(902))
        #expect(seconds(.receiver, at(902)) == 0)
    }

    // MARK: Tokens

    /// Notes a token that was made `age` ago by LiveKit's clock, if this machine is ahead by `ahead`.
    private func token(_ age: Duration, ahead: Duration = .zero, second: Duration = .milliseconds(400)) {
        let made = Self.noon + second
        skew.note(
            token: Timestamp(seconds: made.milliseconds / 1_000), receivedAt: made + age + ahead)
    }

    @Test func `late webhooks are no difference of the clocks while others come in time`() {
        token(.seconds(15))
        #expect(seconds(.livekit, at(0)).map { 14...15.5 ~= $0 } == true)
        token(.milliseconds(80))
        #expect(seconds(.livekit, at(10)) == 0)
        for second in stride(from: 20.0, through: 290, by: 10) {
            token(.seconds(second.truncatingRemainder(dividingBy: 15)))
            #expect(seconds(.livekit, at(second)) == 0)
        }
    }

    @Test(arguments: [-120, -45, 45, 120])
    func `the difference shows in the tokens, with less than a second missing`(ahead: Int) throws {
        for (number, age) in [15_000, 7_000, 200, 3_000].enumerated() {
            token(.milliseconds(age), ahead: .seconds(ahead), second: .milliseconds(number * 250))
        }
        let found = try #require(seconds(.livekit, at(0)))
        #expect(abs(found) <= Double(abs(ahead)) + 0.2 && abs(found) > Double(abs(ahead)) - 1.3)
    }

    @Test func `the window of the tokens moves on`() {
        token(.zero, ahead: .seconds(-120))
        #expect(seconds(.livekit, at(0)).map { $0 < -118 } == true)
        // The clock is right again. The old measurement is the least one until it leaves the window.
        token(.zero)
        #expect(seconds(.livekit, at(200)).map { $0 < -118 } == true)
        token(.zero)
        #expect(seconds(.livekit, at(301)) == 0)
        // A clock that was ahead and is right shows at once.
        token(.zero, ahead: .seconds(120))
        #expect(seconds(.livekit, at(1_200)).map { $0 > 118 } == true)
        token(.zero)
        #expect(seconds(.livekit, at(1_201)) == 0)
    }

    @Test func `a quiet time keeps the last difference until it is too old`() {
        token(.zero, ahead: .seconds(-60))
        #expect(seconds(.livekit, at(0)).map { $0 < -58 } == true)
        #expect(seconds(.livekit, at(600)).map { $0 < -58 } == true)
        #expect(seconds(.livekit, at(901)) == nil)
    }

    @Test func `times of any size break nothing`() {
        let limit = Int64.max / 1_000 / 4
        for seconds in [-limit, 0, limit] {
            skew.note(token: Timestamp(seconds: seconds), receivedAt: Self.noon)
            #expect(skew.difference(from: .livekit, at: at(0)) != nil)
        }
    }

    @Test func `threads that note tokens at the same time lose none of them`() throws {
        let threads = (0..<4).map { thread in
            NamedThread(name: "tokens-\(thread)") { [skew] in
                for number in 0..<10_000 {
                    let age = Int64((number * 7_919 + thread) % 10_000) + 5_000
                    skew.note(token: Self.noon, receivedAt: Self.noon + .milliseconds(age))
                }
            }
        }
        for thread in threads { thread.join() }
        #expect(skew.difference(from: .livekit, at: at(0)) == .milliseconds(4_000))
    }
}
