import Platform
import Shipper
import TestSupport
import Testing
import Wire

/// The clock of the receiver, by the header `Date` of its answers.
@Suite struct ShipperSkewTests {
    @Test(arguments: [204, 400, 401, 404, 500])
    func `any answer with a date tells the difference`(status: Int) throws {
        for hours in [-2, 2] {
            let answer = ScriptedReceiver.Answer(
                status, headers: ["Date": HTTPDate.text(secondsFromNow: hours * 3_600)])
            let receiver = try ScriptedReceiver(otherwise: answer)
            let fixture = try ShipperFixture(receiver.url)
            try fixture.shipper.makeFirstReading()
            var found: Duration?
            let isMeasured = eventually {
                found = fixture.clocks.difference(from: .receiver, at: SystemTime().monotonic())
                return found != nil
            }
            #expect(isMeasured)
            // The receiver's clock stands still, and this test may take its time.
            let ahead = try #require(found).inSeconds / -3_600
            #expect(hours > 0 ? 1 < ahead && ahead <= 2 : -3 < ahead && ahead <= -1.99)
            // Samples that the receiver does not take would be sent until the end of the time.
            _ = fixture.stop(within: .zero)
        }
    }

    @Test(arguments: [[:], ["Date": "yesterday"], ["Date": "Sun, 32 Nov 1994 08:49:37 GMT"]])
    func `an answer without a date that can be read tells nothing`(headers: [String: String]) throws {
        let receiver = try ScriptedReceiver(otherwise: .init(headers: headers))
        let fixture = try ShipperFixture(receiver.url)
        try fixture.shipper.makeFirstReading()
        #expect(receiver.waitForAnswers(3))
        _ = fixture.stop()
        #expect(fixture.clocks.difference(from: .receiver, at: SystemTime().monotonic()) == nil)
    }
}
