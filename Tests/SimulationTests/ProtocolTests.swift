import Glibc
import Platform
import Simulation
import TestSupport
import Testing

/// Bodies are LiveKit's JSON by LiveKit's own definitions.
@Suite struct ProtocolTests {
    /// A Python with `livekit-protocol`; the test is left out where there is none.
    private static let python = getenv("LKPUSH_TEST_PYTHON").map { String(cString: $0) }

    /// Parses strictly (an unknown field or value is an error) and prints back in declaration order.
    private static let script = """
        import json, sys
        from google.protobuf.json_format import MessageToDict, Parse
        if len(sys.argv) > 2:
            from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
            files = descriptor_pb2.FileDescriptorSet.FromString(open(sys.argv[2], "rb").read())
            pool = descriptor_pool.DescriptorPool()
            for file in files.file: pool.Add(file)
            WebhookEvent = message_factory.GetMessageClass(pool.FindMessageTypeByName("livekit.WebhookEvent"))
        else:
            from livekit.protocol.webhook import WebhookEvent
        def ordered(d, desc):
            out = {}
            for f in desc.fields:
                if f.json_name not in d: continue
                v = d[f.json_name]
                if f.message_type and not f.message_type.GetOptions().map_entry:
                    v = [ordered(x, f.message_type) for x in v] if isinstance(v, list) else ordered(v, f.message_type)
                out[f.json_name] = v
            return out
        n = 0
        for line in open(sys.argv[1], encoding="utf-8"):
            line = line.rstrip("\\n")
            e = Parse(line, WebhookEvent())
            again = json.dumps(ordered(MessageToDict(e), e.DESCRIPTOR), ensure_ascii=False, separators=(",", ":"))
            assert again == line, (again, line)
            n += 1
        print(n)
        """

    @Test(.enabled(if: ProtocolTests.python != nil))
    func `bodies parse with LiveKit's definitions and print back to the same bytes`() throws {
        try Self.parse(with: [])
    }

    @Test(.enabled(if: ProtocolTests.python != nil))
    func `bodies parse with the schema in proto and print back to the same bytes`() throws {
        let folder = TemporaryFolder()
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let (status, output) = ChildProcess.run(
            "/usr/bin/protoc",
            ["-I", "/\(root)/proto", "--descriptor_set_out=\(folder.file("set"))", "livekit_webhook.proto"])
        #expect(status == 0, "\(output)")
        try Self.parse(with: [folder.file("set")])
    }

    private static func parse(with schema: [String]) throws {
        let folder = TemporaryFolder()
        let webhooks = OfficeTests.afternoon()
        var lines: [UInt8] = []
        for webhook in webhooks {
            lines += webhook.message.body(shift: TimeShift(seconds: 0))
            lines.append(UInt8(ascii: "\n"))
        }
        try FileStore.replace(folder.file("bodies"), with: lines)
        let python = try #require(python)
        let (status, output) = ChildProcess.run(python, ["-c", script, folder.file("bodies")] + schema)
        #expect(status == 0, "\(output.suffix(2_000))")
        #expect(output == "\(webhooks.count)\n")
    }
}
