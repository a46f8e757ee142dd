import Platform
import TestSupport
import Testing

/// Rules with shorter times are the same rules.
@Suite struct CompressedRulesTests {
    private func expect(_ yaml: String, _ expected: String, _ rules: CompressedRules = .init(divisor: 60)) {
        #expect(rules.text(yaml) == expected)
    }

    @Test func `durations in expressions are divided, and nothing else is`() {
        let cases = [
            ("rate(a[5m])", "rate(a[5000ms])"), ("a[1h30m]", "a[90000ms]"),
            ("a[1d:1h] offset 7d", "a[1440000ms:60000ms] offset 10080000ms"),
            ("a offset -1w", "a offset -10080000ms"), ("a[30s]", "a[500ms]"), ("a[10ms]", "a[1ms]"),
            ("a > 300", "a > 300"), ("a > 1e3", "a > 1e3"),
            ("a5m + b_5m:rate5m", "a5m + b_5m:rate5m"), ("a{window=\"30d\"}", "a{window=\"30d\"}"),
            ("a{b='[5m]',c=`5m`,d=\"\\\"5m\"}[5m]", "a{b='[5m]',c=`5m`,d=\"\\\"5m\"}[5000ms]"),
            ("a[5m] # not [5m]", "a[5000ms] # not [5m]"),
            ("a * 0x1f / .5 @ 1700000000.5", "a * 0x1f / .5 @ 1700000000.5"),
        ]
        for (text, expected) in cases {
            expect("      - expr: \(text)", "      - expr: \(expected)")
            expect(
                "  expr: |\n    \(text)\n\n    \(text)\n  x: 5m",
                "  expr: |\n    \(expected)\n\n    \(expected)\n  x: 5m")
        }
    }

    @Test func `fields are divided, and texts are not`() {
        let before = """
            groups:
              - name: a
                interval: 1m
                rules:
                  - alert: B
                    expr: c[1h] > 0
                    for: 15m
                    keep_firing_for: 1h
                    annotations:
                      summary: for 5m, see [5m] and interval: 1m
                      description: >-
                        expr: rate(x[5m])
                        for: 5m
                  # interval: 5m
            """
        let after = [
            ("interval: 1m\n    rules", "interval: 1000ms\n    rules"), ("c[1h]", "c[60000ms]"),
            ("for: 15m", "for: 15000ms"),
            ("firing_for: 1h", "firing_for: 60000ms"),
        ].reduce(before) { $0.replacing($1.0, with: $1.1) }
        #expect(after.contains("[60000ms]") && after.contains("interval: 1000ms"))
        expect(before, after)
        let fields = after.replacing("c[60000ms]", with: "c[1h]")
        expect(before, fields, .init(divisor: 60, scope: .fields))
    }

    @Test(arguments: CompressedRules.names)
    func `the shipped rules stay good rules, with every duration divided`(name: String) throws {
        let original = try #require(try CompressedRules(divisor: 1).shipped()[name])
        let compressed = try #require(try CompressedRules(divisor: 100).shipped()[name])
        let folder = TemporaryFolder()
        try FileStore.replace(folder.file(name), with: Array(compressed.utf8))
        let checked = ChildProcess.run("/usr/bin/promtool", ["check", "rules", folder.file(name)])
        #expect(checked.status == 0, "\(checked.output)")
        // Apart from durations, which are all in milliseconds now, the texts are equal.
        let duration = #/\b(\d+)ms\b/#
        let (long, short) = (original.matches(of: duration), compressed.matches(of: duration))
        #expect(long.count == short.count && long.count >= 2)
        for (long, short) in zip(long, short) { #expect(Int(long.1) == Int(short.1).map { $0 * 100 }) }
        #expect(original.replacing(duration, with: "") == compressed.replacing(duration, with: ""))
    }
}
