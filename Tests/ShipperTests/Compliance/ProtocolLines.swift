import Metrics
import RemoteWrite
import TestSupport
import Testing

/// The section *protocol* of the suite for 2.0: headers, compression and message of each request.
@Suite struct ProtocolLines {
    private static let plain = Result {
        try Exchange.capture(.auto, prepare: { _ = $0.gauge("test_value", "V.").series() })
    }

    private func plain() throws -> Capture { try Self.plain.get().expectingAllV2() }

    @Test func `protocol: content_type_protobuf`() throws {
        let types = try plain().recorded.map { $0.headers["content-type"]?.split(separator: ";").first }
        #expect(types.allSatisfy { $0 == "application/x-protobuf" })
    }

    @Test func `protocol: content_type_with_proto_param`() throws {
        let types = Set(try plain().recorded.map { $0.headers["content-type"] })
        #expect(types == ["application/x-protobuf;proto=io.prometheus.write.v2.Request"])
    }

    @Test func `protocol: content_encoding_snappy`() throws {
        #expect(try plain().recorded.allSatisfy { $0.headers["content-encoding"] == "snappy" })
    }

    @Test func `protocol: version_header_present`() throws {
        let all = try plain().recorded
        #expect(all.allSatisfy { $0.headers["x-prometheus-remote-write-version"]?.isEmpty == false })
    }

    @Test func `protocol: version_header_value`() throws {
        #expect(try plain().recorded.allSatisfy { $0.headers["x-prometheus-remote-write-version"] == "2.0.0" })
    }

    @Test func `protocol: user_agent_present`() throws {
        #expect(try plain().recorded.allSatisfy { $0.headers["user-agent"] == "lkpush/test" })
    }

    @Test func `protocol: snappy_block_format`() throws {
        // The first bytes of snappy's other format, which is framed.
        let framed: [UInt8] = [0xFF, 6, 0, 0] + Array("sNaPpY".utf8)
        for request in try plain().recorded {
            #expect(!request.body.starts(with: framed))
            #expect(try !SnappyBlock.decode(request.body).isEmpty)
        }
    }

    @Test func `protocol: protobuf_parseable`() throws {
        for request in try plain().recorded {
            let raw = try SnappyBlock.decode(request.body)
            let decoded = try WriteRequest(raw: raw, .v2)
            #expect(decoded.symbols.count > 1)
            #expect(try WriteRequest(protoc: raw, .v2) == decoded.asProtocTells)
        }
    }

    @Test func `protocol: TestHTTPMethod`() throws {
        #expect(try plain().recorded.allSatisfy { $0.method == "POST" && $0.target == "/api/v1/write" })
    }
}
