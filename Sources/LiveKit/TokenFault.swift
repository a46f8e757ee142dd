/// Why a token was not accepted; the raw value is the label value of `reason`.
package enum TokenFault: String, Error, Sendable, CaseIterable {
    /// No `Authorization` header, or an empty one.
    case no_token
    /// Not three parts, too long, undecodable, a claim of a wrong type, or without `iss` or `exp`.
    case malformed_token
    /// `iss` names no key of ours.
    case unknown_key
    /// Signed with another secret, altered since, or by another algorithm than HS256 (`none` included).
    case bad_signature
    /// `exp` is past, leeway included.
    case expired
    /// `nbf` is ahead, leeway included.
    case not_yet_valid
    /// The `sha256` claim is absent or not that of the body.
    case body_hash_mismatch
}
