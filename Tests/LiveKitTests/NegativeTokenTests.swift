import LiveKit
import Platform
import Testing
import Wire

/// The recorded tokens of `negative.json`: each at its clock, with the reason of each refusal.
@Suite struct NegativeTokenTests {
    struct File: Decodable {
        let verify_with_clock: Int64
        let cases: [Case]
    }

    struct Case: Decodable, Sendable, CustomTestStringConvertible {
        let name: String
        let body_file: String
        let authorization: String?
        let expect: Int
        let note: String?

        var testDescription: String { name }
    }

    static let file: File = Corpus.load("negative/negative.json")

    /// What each case is, by its name.
    static let verdicts: [String: TokenVerdict] = [
        "no_header": .rejected(.no_token),
        "bearer_prefix": .accepted(key: Corpus.shared.api_key),
        "wrong_secret": .rejected(.bad_signature),
        "unknown_key": .rejected(.unknown_key),
        "second_key": .accepted(key: Corpus.shared.second_key),
        "expired": .rejected(.expired),
        "expired_within_leeway": .accepted(key: Corpus.shared.api_key),
        "nbf_future": .rejected(.not_yet_valid),
        "nbf_future_within_leeway": .accepted(key: Corpus.shared.api_key),
        "alg_none": .rejected(.bad_signature),
        "garbage": .rejected(.malformed_token),
        "no_sha": .rejected(.body_hash_mismatch),
        "sha_hex": .rejected(.body_hash_mismatch),
        "sha_urlsafe": .rejected(.body_hash_mismatch),
        "no_exp": .rejected(.malformed_token),
        "hs512": .rejected(.bad_signature),
        "body_changed": .rejected(.body_hash_mismatch),
    ]

    @Test func `there are 17 cases and each is in the table`() {
        #expect(Self.file.cases.count == 17)
        #expect(Set(Self.file.cases.map(\.name)) == Set(Self.verdicts.keys))
    }

    @Test(arguments: Self.file.cases)
    func `a recorded token is judged as it was by LiveKit, and for one reason`(recorded: Case) throws {
        let body = try Corpus.bytes("negative/" + recorded.body_file)
        let both = recorded.note == "with both keys configured"
        let keys = Corpus.shared.keys.filter { both || $0.key == Corpus.shared.api_key }
        let verdict = TokenVerifier(keys: keys, leeway: .seconds(60)).verify(
            authorization: recorded.authorization, body: body.span,
            at: Timestamp(seconds: Self.file.verify_with_clock))
        #expect(verdict == Self.verdicts[recorded.name])
        let status = if case .accepted = verdict { 200 } else { 401 }
        #expect(status == recorded.expect)
    }
}
