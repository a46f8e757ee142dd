import Exporter
import HTTPClient
import HTTPServing
import Platform
import Storage
import Postgres
import StoragePostgres
import Wire

/// Short texts that are read: addresses, URLs, waits, units, base64, SQL of the user.
struct AddressFuzzer: Fuzzer {
    static let name = "address"

    func run(_ bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        if let address = try? ListenAddress(text) {
            require((try? ListenAddress(address.description)) == address, "an address reads back: \(address)")
        }
        if let url = EndpointURL(text) {
            let authority = url.description.split(separator: "/", maxSplits: 2)[1]
            require(!authority.contains("@"), "a printed URL has no user: \(url)")
            require(!url.description.contains("?"), "a printed URL has no query: \(url)")
            require(EndpointURL(url.description)?.description == url.description, "a printed URL is one: \(url)")
        }
        if let wait = RetryAfter.parse(text, at: Timestamp(seconds: 1_790_000_000)) {
            require(wait >= .zero, "nobody waits for the past")
        }
        if let duration = UnitText.duration(text) {
            require(UnitText.duration(UnitText.text(duration)) == duration, "a duration reads back")
        }
        if let size = UnitText.size(text) {
            require(UnitText.size(size.description) == size, "a size reads back: \(size)")
        }
        for alphabet in Base64.allCases {
            if let decoded = alphabet.decode(bytes.span) {
                require(alphabet.encode(decoded.span) == bytes, "bytes have one spelling")
            }
            require(alphabet.decode(alphabet.encode(bytes.span).span) == bytes, "base64 reads back")
        }
        _ = try? LookupQuery(sql: text)
        _ = try? StoreDriver.location(of: text)
        database(text)
    }

    /// A password of any characters but those that end it does not show.
    private func database(_ text: String) {
        let password = "xyzzy" + text.filter { !"@/".contains($0) } + "plugh"
        guard let url = try? PostgresURL("postgres://user:\(password)@host/db") else { return }
        require(!"\(url)".contains("xyzzy") && !"\(url)".contains("plugh"), "a password does not show: \(url)")
    }
}
