import RemoteWrite
import Status

/// What is known of a receiver by the outcomes of its requests. It is a machine: it knows no time and sends nothing.
struct ReceiverState {
    /// The outcome that was settled last.
    private var settled = DestinationState.starting
    private var meaning: ReceiverHint.Meaning?
    /// Set while a request is late.
    private var lateness: ReceiverHint.Meaning?
    /// Set while the credentials cannot be read.
    private var credentialFault: ReceiverHint.Meaning?
    /// The number of failed requests since the last success.
    private(set) var failures = 0

    /// The state for people. A request that is late says more than the one before it.
    var state: DestinationState { lateness == nil ? settled : .unanswered }

    /// What is wrong. Nil while all is well.
    var trouble: ReceiverHint.Meaning? { lateness ?? meaning ?? credentialFault }

    /// Notes a verdict.
    ///
    /// - Parameter meaning: what the outcome means. Nil for one that is as it should be.
    mutating func note(_ verdict: Delivery.Verdict, _ meaning: ReceiverHint.Meaning?) {
        switch verdict {
        case .accepted, .acceptedInPart, .ambiguous: settled = .accepting
        case .rejected(let lost): settled = lost > 0 ? .refusing : .accepting
        case .retried: settled = .retrying
        case .held: settled = .held
        // The same samples are sent again at once, in another form.
        case .split, .fellBack: return
        }
        self.meaning = meaning
        switch verdict {
        case .accepted, .acceptedInPart: failures = 0
        case .retried, .held: failures += 1
        case .ambiguous, .rejected, .split, .fellBack: break
        }
    }

    /// Notes that a request is late, or that none is any more.
    mutating func note(lateness: ReceiverHint.Meaning?) { self.lateness = lateness }

    /// Notes that the credentials cannot be read, or that they can again.
    mutating func note(credentialFault: ReceiverHint.Meaning?) { self.credentialFault = credentialFault }
}
