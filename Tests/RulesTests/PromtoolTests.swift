import Foundation
import TestSupport
import Testing

/// What promtool says of the rules, and what its tests of them say.
@Suite struct PromtoolTests {
    @Test func `the rules are good`() {
        let result = ChildProcess.run(
            RuleFiles.promtool, ["check", "rules", "--lint=all", "--lint-fatal"] + RuleFiles.files)
        #expect(result.status == 0, "\(result.output)")
        let other = ChildProcess.run(
            RuleFiles.promtool, ["check", "rules", "--lint=all", "--lint-fatal", RuleFiles.alternative])
        #expect(other.status == 0, "\(other.output)")
    }

    /// Each file has its rules and its times. A name that is no file here would be a test that nobody runs.
    @Test(arguments: [
        "agents.yaml", "business-hours-alerts.yaml", "business-hours.yaml", "days.yaml", "livekit.yaml", "push.yaml",
        "quiet.yaml",
        "reconciliation.yaml", "replicas.yaml", "server.yaml", "usage.yaml",
    ])
    func `the tests of promtool pass`(file: String) throws {
        #expect(try RuleFiles.tests().contains(file))
        let result = ChildProcess.run(
            RuleFiles.promtool, ["test", "rules", RuleFiles.folder + "/tests/" + file])
        #expect(result.status == 0, "\(result.output)")
    }

    @Test func `there are no more files of tests than those`() throws {
        #expect(try RuleFiles.tests().count == 11)
    }

    @Test func `a wrong expectation is found`() throws {
        let folder = TemporaryFolder()
        let test = """
            rule_files: [\(RuleFiles.files[1])]
            tests:
              - interval: 1m
                input_series: [{series: 'lkpush_database_up{instance="a"}', values: '0x20'}]
                alert_rule_test: [{eval_time: 15m, alertname: LkpushDatabaseAway, exp_alerts: []}]
            """
        try test.write(toFile: folder.file("wrong.yaml"), atomically: false, encoding: .utf8)
        let result = ChildProcess.run(RuleFiles.promtool, ["test", "rules", folder.file("wrong.yaml")])
        #expect(result.status == 1 && result.output.contains("LkpushDatabaseAway"), "\(result.output)")
    }
}
