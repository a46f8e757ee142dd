import Platform
import Status
import TestSupport
import Testing

/// Fifty people who look at once, while webhooks come. `Tests/StatusPage/load` measures what that costs.
@Suite struct ManyPagesTests {
    private static let count = 50
    /// A tab takes a second of a processor to open. The server does not see what asks.
    private static let tabs = 8

    /// A page as the server sees it: a connection that stays and asks again and again.
    private static func look(at port: UInt16, until isOver: @Sendable () -> Bool) throws -> (answered: Int, asked: Int)
    {
        let client = try RawHTTP(port: port)
        var (answered, asked) = (0, 0)
        repeat {
            asked += 1
            client.send("GET /debug/status HTTP/1.1\r\nHost: localhost\r\n\r\n")
            guard let reply = client.receive(), reply.status == 200, (try? StatusDocument(json: reply.body)) != nil
            else {
                break
            }
            answered += 1
        } while !isOver()
        return (answered, asked)
    }

    @Test func `fifty pages are all answered, and so is every webhook`() throws {
        let exporter = try ShownExporter(ShownExporter.byName)
        let webhooks = (0..<500).map { number in
            SignedWebhook.make("participant_joined", room: "org_\(number % 25)~\(number % 100)", identity: "p\(number)")
        }
        let sender = RetryingSender(webhooks, to: exporter.program.webhooks, patience: .liveKit)
        let outcomes = Monitor<[(answered: Int, asked: Int)]>([])
        let port = exporter.program.metrics
        let pages = (0..<Self.count).map { number in
            NamedThread(name: "page-\(number)") {
                let outcome = (try? Self.look(at: port) { sender.isAllSettled }) ?? (0, 1)
                outcomes.change { $0.append(outcome) }
            }
        }
        #expect(sender.waitUntilAllSettled())
        for page in pages { page.join() }
        let all = outcomes.withLock { $0 }
        #expect(all.count == Self.count && all.allSatisfy { $0.answered == $0.asked && $0.asked > 0 }, "\(all)")
        #expect(sender.record.accepted == webhooks.count)
        let isCounted = try eventually { try exporter.status().intake.events == webhooks.count }
        #expect(isCounted)
        try exporter.program.terminate()
    }

    @Test(.enabled(if: Chromium.isWanted, "LKPUSH_TEST_PYTHON names a Python with Tests/requirements.txt"))
    func `many tabs of one browser all show the same status`() throws {
        let exporter = try ShownExporter(ShownExporter.byName)
        let browser = try Chromium()
        try browser.open(exporter.page)
        for _ in 1..<Self.tabs { _ = try browser.openTab(exporter.page) }
        try exporter.send(SignedWebhook.make("participant_joined", room: "org_1~1", identity: "Ann"))
        let row = "(document.querySelector('#organizations-table tbody tr')?.textContent ?? 'nothing')"
        var shown: [String] = []
        let areAllSame = try eventually {
            shown = try browser.runInEachTab("return \(row)")
            return shown.count == Self.tabs && shown.allSatisfy { $0.hasPrefix("org_1") }
        }
        #expect(areAllSame, "\(shown)")
        #expect(try browser.console() == [])
        try exporter.program.terminate()
    }
}
