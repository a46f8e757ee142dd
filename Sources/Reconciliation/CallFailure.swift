import HTTPClient
import LiveKit
import Wire

/// A call of LiveKit's API that gave no list.
struct CallFailure: Error, Sendable {
    enum Kind: Sendable {
        /// No answer arrived, or not all of it.
        case unanswered(NetworkError.Kind, text: String)
        /// LiveKit, or something before it, refused or failed. The code is Twirp's.
        case refused(status: Int, code: String?, retryAfter: Duration?)
        /// The answer is not the list. The text is about bytes, and quotes none.
        case garbage(String)
        case tooLarge
    }

    let call: ServerCall
    let kind: Kind

    /// The label value of `code`: the status, or the kind of the failure.
    var code: String {
        switch kind {
        case .unanswered(let kind, _): kind.rawValue
        case .refused(let status, _, _): String(status)
        case .garbage: "garbage"
        case .tooLarge: "too_large"
        }
    }
}

/// The reason why a poll did not come to its end.
enum PollInterruption: Error, Sendable {
    /// The thread shall end.
    case stop
    case failed(CallFailure)
    /// The recorder did not answer in time.
    case busyRecorder
}
