/// A version of the remote-write message.
package enum Message: String, Sendable, CaseIterable {
    /// `prometheus.WriteRequest`: every series carries its labels.
    /// https://prometheus.io/docs/specs/prw/remote_write_spec/
    case v1 = "1.0"
    /// `io.prometheus.write.v2.Request`: labels are references into a table of symbols, and series carry metadata.
    /// https://prometheus.io/docs/specs/prw/remote_write_spec_2_0/
    case v2 = "2.0"

    /// The value of `Content-Type`. Version 2.0 requires the bare type for receivers of 1.0.
    /// https://prometheus.io/docs/specs/prw/remote_write_spec_2_0/#required-request-headers
    package var contentType: String {
        switch self {
        case .v1: "application/x-protobuf"
        case .v2: "application/x-protobuf;proto=io.prometheus.write.v2.Request"
        }
    }

    /// The value of `X-Prometheus-Remote-Write-Version`.
    package var version: String {
        switch self {
        case .v1: "0.1.0"
        case .v2: "2.0.0"
        }
    }
}

/// The rule for the message of a destination. The raw value is the text of `REMOTE_WRITE_MESSAGE`.
package enum MessageChoice: String, Sendable, CaseIterable {
    /// Version 2.0, and 1.0 for a receiver that does not read it.
    case auto
    case v1 = "1.0"
    case v2 = "2.0"
}
