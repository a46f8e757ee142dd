/// The result of a verification.
package enum TokenVerdict: Sendable, Hashable {
    /// The token is valid; `key` is the API key that signed it.
    case accepted(key: String)
    case rejected(TokenFault)
}
