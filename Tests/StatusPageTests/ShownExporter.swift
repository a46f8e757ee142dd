import Platform
import Status
import TestSupport
import Testing

/// The built program, and what its status says.
final class ShownExporter {
    let folder = TemporaryFolder()
    let program: MortalExporter

    init(_ environment: [String: String] = [:]) throws {
        program = MortalExporter(folder, environment)
        try program.startAndWait()
    }

    /// The address of the page.
    var page: String { "http://127.0.0.1:\(program.metrics)/" }

    /// Sends webhooks. All of them must be taken.
    func send(_ webhooks: RetryingSender.Webhook...) throws {
        let client = try LoopbackClient(port: program.webhooks)
        for webhook in webhooks {
            #expect(client.post("/webhook", ["Authorization": webhook.token], webhook.body)?.status == 200)
        }
    }

    /// The document behind the page.
    func status() throws -> StatusDocument {
        let answer = try #require(LoopbackClient.get("/debug/status", port: program.metrics))
        return try StatusDocument(json: Array(answer.body.utf8))
    }

    /// A simulated office that sends webhooks to the program, for as long as the object lives.
    func simulate(_ arguments: [String]) throws -> ChildProcess {
        try ChildProcess(
            BuiltProgram.executable,
            ["simulate", "--url", "http://127.0.0.1:\(program.webhooks)", "--end", "open"] + arguments,
            environment: [
                "PATH": "/usr/bin:/bin", "LIVEKIT_API_KEY": BuiltProgram.key, "LIVEKIT_API_SECRET": BuiltProgram.secret,
            ])
    }

    /// The settings with which every room says its organization in its name, as those of the simulated office do.
    static let byName = ["ORG_SOURCE": "room-name", "ORG_ROOM_PATTERN": "^(?<org>[^~]+)~"]
}

extension Chromium {
    /// The number of documents that the page has asked for.
    private static let updates =
        "return performance.getEntriesByType('resource').filter(one => one.name.endsWith('/debug/status')).length"

    /// Waits until the page has shown so many further documents. Returns false if it never does.
    func wait(forUpdates count: Int) throws -> Bool {
        let before: Int = try run(Self.updates)
        return try wait(
            until: "\(Self.updates) > Number(arguments[0]) && document.body.dataset.connection === 'live'",
            "\(before + count)")
    }

    /// Expects a page that everybody can use: light and dark, on a wide and on a narrow screen, with keys alone.
    func expectUsable(_ name: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        for (size, width) in [("wide", 1_280), ("narrow", 360)] {
            for scheme in Scheme.allCases {
                try emulate(width: width, scheme)
                try screenshot("\(name)-\(size)-\(scheme)")
                let found = try accessibility()
                #expect(found == [], "\(size) \(scheme)", sourceLocation: sourceLocation)
            }
            #expect(try layout() == [], "\(size)", sourceLocation: sourceLocation)
            #expect(try keyboard() == [], "\(size)", sourceLocation: sourceLocation)
        }
        try emulate(width: 1_280)
    }

    /// Expects that the page asked its own server alone, and that nothing was warned about.
    func expectQuiet(_ page: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let asked = try requests()
        #expect(asked.contains("\(page)debug/status"), "\(asked)", sourceLocation: sourceLocation)
        // Its icon is a part of it.
        let elsewhere = asked.filter { !$0.hasPrefix(page) && !$0.hasPrefix("data:") }
        #expect(elsewhere == [], sourceLocation: sourceLocation)
        #expect(try console() == [], sourceLocation: sourceLocation)
    }
}
