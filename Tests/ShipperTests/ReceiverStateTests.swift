import RemoteWrite
import Status
import Testing

@testable import Shipper

/// The state of a receiver, as a transcript of what its requests bring.
@Suite struct ReceiverStateTests {
    private let away = ReceiverHint.Meaning(text: "away", advice: "Look.")
    private let late = ReceiverHint.Meaning(text: "late", advice: "Wait.")

    @Test func `troubles come and go`() {
        var receiver = ReceiverState()
        #expect(receiver.state == .starting && receiver.trouble == nil)
        receiver.note(lateness: late)
        #expect(receiver.state == .unanswered && receiver.trouble == late)
        receiver.note(lateness: nil)
        receiver.note(.retried(after: .seconds(1)), away)
        #expect(receiver.state == .retrying && receiver.trouble == away && receiver.failures == 1)
        receiver.note(lateness: late)
        #expect(receiver.state == .unanswered && receiver.trouble == late && receiver.failures == 1)
        receiver.note(lateness: nil)
        receiver.note(.held(.seconds(30)), away)
        #expect(receiver.state == .held && receiver.failures == 2)
        // What is sent again in another form is no outcome yet.
        receiver.note(.fellBack(.unsupported), nil)
        receiver.note(.split, away)
        #expect(receiver.state == .held && receiver.trouble == away)
        receiver.note(.accepted, nil)
        #expect(receiver.state == .accepting && receiver.trouble == nil && receiver.failures == 0)
        receiver.note(.rejected(3), away)
        #expect(receiver.state == .refusing && receiver.trouble == away)
        receiver.note(.acceptedInPart(missing: 1), away)
        #expect(receiver.state == .accepting && receiver.trouble == away)
        // All samples of the request were written before it was refused.
        receiver.note(.rejected(0), nil)
        #expect(receiver.state == .accepting && receiver.trouble == nil)
    }

    @Test func `credentials that cannot be read are told unless there is a greater trouble`() {
        var receiver = ReceiverState()
        receiver.note(.accepted, nil)
        receiver.note(credentialFault: late)
        #expect(receiver.state == .accepting && receiver.trouble == late)
        receiver.note(.retried(after: .seconds(1)), away)
        #expect(receiver.trouble == away)
        receiver.note(.accepted, nil)
        receiver.note(credentialFault: nil)
        #expect(receiver.trouble == nil)
    }

    @Test func `the line about a late request tells the limit that there is`() {
        #expect(Delivery.Limits.late == .seconds(5))
    }
}
