import Foundation
import Status
import TestSupport
import Testing
import Wire

/// What is wrong in a document, what it costs and what to do.
@Suite struct HealthRulesTests {
    @Test func `nothing is wrong with a lkpush that works`() {
        #expect(HealthRules.problems(of: TroubledDocuments.healthy) == [])
        var health = TroubledDocuments.healthy.health
        #expect(HealthRules.state(of: health) == .healthy)
        health.isReady = false
        #expect(HealthRules.state(of: health) == .degraded)
    }

    @Test(arguments: TroubledDocuments.all.keys.sorted())
    func `a trouble is one problem that says what it is, what it costs and what to do`(name: String) throws {
        let document = try #require(TroubledDocuments.all[name])
        let problems = HealthRules.problems(of: document)
        #expect(problems.count == 1, "\(name): \(problems)")
        let problem = try #require(problems.first)
        for text in [problem.what, problem.cost, problem.action] {
            #expect(text.count > 5 && ".\"".contains(text.suffix(1)), "\(name): \(text)")
            #expect(text.prefix(1).uppercased() == text.prefix(1), "\(name): \(text)")
            #expect(!text.contains("..") && !text.contains("  ") && !text.contains(": ."), "\(name): \(text)")
        }
        var health = document.health
        health.problems = problems
        #expect(HealthRules.state(of: health) == (problem.severity == .critical ? .failing : .degraded))
    }

    @Test func `every alert that is named exists, with its section in the runbook`() throws {
        let rules = try Self.text("deploy/prometheus/lkpush-alerts.yaml")
        let runbook = try Self.text("Sources/lkpush/Documentation.docc/Runbook.md")
        for (name, document) in TroubledDocuments.all {
            for problem in HealthRules.problems(of: document) where !problem.alert.isEmpty {
                #expect(rules.contains("- alert: \(problem.alert)\n"), "\(name): \(problem.alert)")
                #expect(runbook.contains("\(problem.alert)"), "\(name): \(problem.alert)")
            }
        }
    }

    private static func text(_ path: String) throws -> String {
        try String(contentsOfFile: Repository.root + "/" + path, encoding: .utf8)
    }

    @Test func `a trouble that is over is no problem any more`() throws {
        for (name, seconds) in [
            ("secret", 301), ("lost", 301), ("rows", 3_601), ("letters", 3_601), ("event", 3_601), ("rooms", 3_601),
            ("usageLost", 3_601), ("spillLost", 3_601),
        ] {
            var document = try #require(TroubledDocuments.all[name])
            document.now = document.now + .seconds(seconds)
            document.intake.lastEvent = document.now
            #expect(HealthRules.problems(of: document) == [], "\(name)")
        }
    }

    @Test func `a clock that is wrong is one problem, and so is what it causes`() throws {
        var document = try #require(TroubledDocuments.all["clock"])
        var receiver = ClockStatus()
        (receiver.peer, receiver.ahead) = ("receiver", -88)
        document.program.clocks.append(receiver)
        var rejection = RejectionStatus()
        (rejection.reason, rejection.last) = ("not_yet_valid", document.now)
        document.intake.rejections = [rejection]
        let problems = HealthRules.problems(of: document)
        #expect(problems.map(\.name) == ["clock_skew"])
        #expect(problems.first?.severity == .critical)
        #expect(problems.first?.subject == "livekit, receiver")
        #expect(problems.first?.what.contains("90 s behind that of LiveKit and the receiver") == true)
    }

    @Test func `a database that does not work explains rooms that it was not asked for`() throws {
        var document = try #require(TroubledDocuments.all["rooms"])
        document.recorder.unknownRooms[0].reason = "lookup_error"
        document.recorder.unknownRooms[1].reason = "lookup_error"
        #expect(HealthRules.problems(of: document).map(\.name) == ["rooms_without_organization"])
        document.database = try #require(TroubledDocuments.all["database"]).database
        #expect(HealthRules.problems(of: document).map(\.name) == ["database_away"])
    }

    @Test func `a start that waits says for what`() throws {
        var document = try #require(TroubledDocuments.all["locked"])
        document.health.obstacles.insert("starting", at: 0)
        let problems = HealthRules.problems(of: document)
        #expect(problems.map(\.subject) == ["lock"])
        #expect(problems.first?.action.contains("STATE_DIR of its own") == true)
    }

    @Test func `nobody is told that nothing is lost while something is`() throws {
        var document = try #require(TroubledDocuments.all["failing"])
        #expect(HealthRules.problems(of: document)[0].cost.contains("1,234 samples wait, none is lost yet"))
        document.destinations[0].lastLoss = document.now
        let problems = HealthRules.problems(of: document)
        #expect(problems.map(\.name) == ["samples_lost", "receiver_fails"])
        #expect(problems[1].cost == "1,234 samples wait, and others are lost: there is no room for all.")
    }

    @Test func `webhooks that the journal refused are told by the journal, and only while it refuses`() throws {
        var document = TroubledDocuments.healthy
        var rejection = RejectionStatus()
        (rejection.reason, rejection.last) = ("journal_failed", document.now)
        document.intake.rejections = [rejection]
        #expect(HealthRules.problems(of: document) == [])
        document.journal?.isUp = false
        #expect(HealthRules.problems(of: document).map(\.name) == ["journal_not_writable"])
    }

    @Test func `series that are refused are told, even if the counter of refusals cannot be`() {
        var document = TroubledDocuments.healthy
        (document.program.series, document.program.maxSeries) = (1_000, 1_000)
        #expect(HealthRules.problems(of: document).map(\.name) == ["series_refused"])
    }

    @Test func `one failed poll, and a difference that is being corrected, are no problem`() throws {
        var document = TroubledDocuments.healthy
        document.reconciliation = TroubledDocuments.polls()
        #expect(HealthRules.problems(of: document) == [])
        document.reconciliation?.failures = 1
        #expect(HealthRules.problems(of: document) == [])
        document = try #require(TroubledDocuments.all["missing"])
        document.reconciliation?.differsSince = document.now - .seconds(480)
        #expect(HealthRules.problems(of: document) == [])
        document.reconciliation?.differsSince = document.now - .seconds(481)
        #expect(HealthRules.problems(of: document).map(\.name) == ["webhooks_missing"])
        // Nothing is known of the differences of now.
        document.reconciliation?.failures = 2
        #expect(HealthRules.problems(of: document).map(\.name) == ["reconciliation_failing"])
    }

    @Test func `strangers without a token are no problem`() {
        for reason in ["no_token", "malformed_token", "starting", "stopping"] {
            var document = TroubledDocuments.healthy
            var rejection = RejectionStatus()
            (rejection.reason, rejection.last) = (reason, document.now)
            document.intake.rejections = [rejection]
            #expect(HealthRules.problems(of: document) == [], "\(reason)")
        }
    }

    @Test func `a replica that works has no problem, leading or not`() {
        var document = TroubledDocuments.healthy
        document.replicas = TroubledDocuments.standby
        #expect(HealthRules.problems(of: document) == [] && document.isStandby)
        document.replicas?.isLeader = true
        document.replicas?.holder = "pod-0"
        #expect(HealthRules.problems(of: document) == [] && !document.isStandby)
        // The reason was found before it took the lead.
        document.replicas?.reason = "its settings differed"
        #expect(HealthRules.problems(of: document) == [])
        // Nothing is known yet.
        document.replicas = ReplicaStatus()
        #expect(HealthRules.problems(of: document) == [])
    }

    @Test func `a log that is away and a STATE_DIR that keeps nothing are told together`() throws {
        var document = try #require(TroubledDocuments.all["noSpill"])
        document.replicas?.spillError = "permission denied"
        let problems = HealthRules.problems(of: document)
        #expect(problems.map(\.name) == ["not_ready", "spill_unusable"])
        #expect(problems.map(\.severity) == [.critical, .critical])
        #expect(problems.first?.action.contains("JOURNAL_URL") == true)
    }

    @Test func `the worst comes first`() {
        var document = TroubledDocuments.healthy
        document.intake.lag = 30
        document.journal?.isUp = false
        #expect(HealthRules.problems(of: document).map(\.severity) == [.critical, .warning])
    }

    @Test func `a problem keeps its time for as long as it lasts`() throws {
        var times = ProblemTimes()
        let start = TroubledDocuments.now
        let held = HealthRules.problems(of: try #require(TroubledDocuments.all["held"]))
        #expect(times.noted(held, at: start).map(\.since) == [start])
        #expect(times.noted(held, at: start + .seconds(5)).map(\.since) == [start])
        #expect(times.noted([], at: start + .seconds(10)) == [])
        #expect(times.noted(held, at: start + .seconds(15)).map(\.since) == [start + .seconds(15)])
    }
}
