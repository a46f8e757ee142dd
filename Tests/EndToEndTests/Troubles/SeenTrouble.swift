import Foundation
import Platform
import Status
import TestSupport
import Testing
import Wire

/// A trouble of a program with the intervals of a real one, and the words by which somebody must be told of it.
final class SeenTrouble {
    let name: String
    /// The name of the problem in the status.
    private let problem: String
    /// Words of the cause, and of what to do, on the status page and in `lkpush top`.
    private let told: [String]
    /// Words of one line of the log: the message and the action.
    private let logged: [String]
    /// The time by which the clock of the program is ahead.
    private let ahead: Duration
    private let start: () throws -> TroubledExporter
    private let begin: (TroubledExporter) throws -> Void
    private let end: ((TroubledExporter) throws -> Void)?

    private var exporter: TroubledExporter?
    private var begun = Timestamp(milliseconds: 0)
    private var tab = ""

    /// - Parameter end: nil for a trouble that the status tells of for minutes after it ended.
    init(
        _ name: String, problem: String, told: [String], logged: [String], ahead: Duration = .zero,
        start: @escaping () throws -> TroubledExporter, begin: @escaping (TroubledExporter) throws -> Void,
        end: ((TroubledExporter) throws -> Void)?
    ) {
        (self.name, self.problem, self.told, self.logged, self.ahead) = (name, problem, told, logged, ahead)
        (self.start, self.begin, self.end) = (start, begin, end)
    }

    /// Starts a healthy program and opens its page, then makes the trouble.
    func begin(_ browser: Chromium) throws {
        // A clock is wrong from the start.
        begun = SystemTime().now()
        let exporter = try start()
        self.exporter = exporter
        tab = try browser.openTab("http://127.0.0.1:\(exporter.program.metrics)/")
        if ahead == .zero {
            var status: StatusDocument?
            let isHealthy = try eventually {
                status = try self.status()
                return status?.health.state == .healthy && status?.destinations.first?.state == .accepting
            }
            #expect(isHealthy, "\(name): \(status?.health.problems ?? [])")
            begun = SystemTime().now()
        }
        try begin(exporter)
    }

    private func status() throws -> StatusDocument {
        let exporter = try #require(exporter)
        let answer = try #require(LoopbackClient.get("/debug/status", port: exporter.program.metrics), "\(name)")
        return try StatusDocument(json: Array(answer.body.utf8))
    }

    // MARK: Seen

    /// Expects that the status knows of it within 30 s of its beginning, and tells the cause and what to do.
    func expectTold() throws {
        var document = StatusDocument()
        let isTold = try eventually {
            document = try status()
            return problems(in: document).contains { $0.isSuperset(of: told) }
        }
        #expect(isTold, "\(name): \(told) in \(document.health.problems)")
        let since = document.health.problems.first { $0.name == problem }?.since ?? Timestamp(milliseconds: .max)
        expectPrompt(since, "the status")
    }

    /// The words of `told` that each problem of this name holds.
    private func problems(in document: StatusDocument) -> [Set<String>] {
        document.health.problems.filter { $0.name == problem }.map { one in
            words(in: "\(one.subject) \(one.what) \(one.cost) \(one.action)")
        }
    }

    private func words(in text: String) -> Set<String> {
        // What is told in lines of 80 columns may go on in the next one.
        let line = text.split(whereSeparator: \.isWhitespace).joined(separator: " ").lowercased()
        return Set(told.filter { line.contains($0.lowercased()) })
    }

    /// Expects that the page shows it.
    func expectShown(_ browser: Chromium) throws {
        try browser.select(tab)
        #expect(
            try browser.wait(
                until: "return document.querySelector(`#problems li[data-name=\"${arguments[0]}\"]`)", problem),
            "\(name): \(try? browser.text().prefix(1_000))")
        try browser.screenshot("trouble-\(name)")
        let shown: String = try browser.run(
            """
            return [...document.querySelectorAll(`#problems li[data-name="${arguments[0]}"]`)].filter(
                element => element.checkVisibility()).map(element => element.innerText).join(' ')
            """, problem)
        #expect(words(in: shown) == Set(told), "\(name): \(told) in \(shown)")
    }

    /// Expects that `lkpush top` tells it, in plain lines and as JSON.
    func expectPrinted() throws {
        let port = try #require(exporter).program.metrics
        func top(_ arguments: String...) -> String {
            let all = ["top", "http://127.0.0.1:\(port)", "--once"] + arguments
            let (status, output) = ChildProcess.run(BuiltProgram.executable, all)
            #expect(status == 0, "\(name): \(output)")
            return output
        }
        let lines = top()
        #expect(words(in: lines) == Set(told), "\(name): \(told) in \(lines)")
        #expect(!lines.utf8.contains(0x1B))
        let document = try StatusDocument(json: Array(top("--json").utf8))
        #expect(problems(in: document).contains(Set(told)), "\(name): \(document.health.problems)")
    }

    /// Expects a line of the log, written within 30 s of the beginning, with all words.
    func expectLogged() throws {
        let program = try #require(exporter).program
        var line: String?
        let isLogged = eventually {
            line = program.output.split(separator: "\n").first { line in
                logged.allSatisfy { line.contains($0) }
            }.map(String.init)
            return line != nil
        }
        #expect(isLogged, "\(name): \(logged) in \(program.output.suffix(3_000))")
        guard let line else { return }
        let fields = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
        let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        let at = try style.parse(fields["ts"] as? String ?? "")
        expectPrompt(Timestamp(milliseconds: Int64(at.timeIntervalSince1970 * 1_000)), "the log")
    }

    private func expectPrompt(_ told: Timestamp, _ place: String) {
        let took = told.since(begun) - ahead
        print("\(name): \(place) told it after \(took)")
        #expect(Promptness.holds(took, within: .seconds(30)), "\(name): \(place) told it after \(took)")
    }

    // MARK: Over

    /// Ends the trouble, if the page then forgets it at once.
    func finish() throws { if let end, let exporter { try end(exporter) } }

    /// Expects that the page does not show it any more.
    func expectOver(_ browser: Chromium) throws {
        if end != nil {
            try browser.select(tab)
            let isOver = try browser.wait(
                until: "return !document.querySelector(`#problems li[data-name=\"${arguments[0]}\"]`)", problem)
            #expect(isOver, "\(name): \(try? browser.text().prefix(1_000))")
        }
        try exporter?.program.terminate()
    }
}
