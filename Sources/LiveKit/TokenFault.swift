/// The reasons for which a token is rejected. The raw value is the label value of `reason`.
package enum TokenFault: String, Error, Sendable, CaseIterable {
    /// There is no `Authorization` header, or it is empty.
    case no_token
    /// The token does not have three parts, is too long, cannot be decoded, has a claim of a wrong type, or lacks `iss`
    /// or `exp`.
    case malformed_token
    /// `iss` names none of our API keys.
    case unknown_key
    /// The token was signed with another secret, was altered, or uses another algorithm than HS256 (including `none`).
    case bad_signature
    /// `exp` has passed, with the leeway.
    case expired
    /// `nbf` lies ahead, with the leeway.
    case not_yet_valid
    /// The `sha256` claim is absent, or it is not the hash of the body.
    case body_hash_mismatch
}
