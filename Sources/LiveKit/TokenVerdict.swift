/// What became of a token.
package enum TokenVerdict: Sendable, Hashable {
    /// Good; `key` is the API key that signed it.
    case accepted(key: String)
    case rejected(TokenFault)
}
