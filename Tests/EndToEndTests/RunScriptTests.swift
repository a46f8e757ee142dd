import Foundation
import Glibc
import Platform
import TestSupport
import Testing

/// `deploy/run`, as people and shells start it, with the program that is built already.
@Suite(.serialized) struct RunScriptTests {
    /// The script makes its files here.
    private let folder = TemporaryFolder()
    private let log = TemporaryFolder()

    private static let script = Repository.root + "/deploy/run"

    private func environment(_ changes: [String: String] = [:]) -> [String: String] {
        [
            "PATH": "/usr/bin:/bin", "HOME": folder.path, "TMPDIR": folder.path, "no_proxy": "127.0.0.1",
            "LKPUSH_BINARY": BuiltProgram.executable,
        ].merging(changes) { $1 }
    }

    @Test func `help starts nothing, and what is not known is refused with a hint`() throws {
        for word in ["--help", "-h"] {
            let (status, output) = ChildProcess.run(Self.script, [word], environment: environment())
            #expect(status == 0 && output.hasPrefix("usage: deploy/run "), "\(output)")
            for setting in ["--no-office", "LISTEN", "METRICS_LISTEN", "SIMULATE_LOSE", "STATE_DIR", "LKPUSH_BINARY"] {
                #expect(output.contains("\n  \(setting)"), "\(setting)")
            }
            #expect(output.split(separator: "\n").allSatisfy { $0.count <= 80 })
        }
        for words in [["--nonsense"], ["--no-office", "up"]] {
            let (status, output) = ChildProcess.run(Self.script, words, environment: environment())
            #expect(status == 64 && output == "deploy/run: \(words.last ?? ""): unknown; see deploy/run --help\n")
        }
        let (status, output) = ChildProcess.run(
            Self.script, [], environment: environment(["LKPUSH_BINARY": log.path]))
        #expect(status == 1 && output == "deploy/run: LKPUSH_BINARY=\(log.path): expected a program\n")
        let (lost, sentence) = ChildProcess.run(Self.script, [], environment: environment(["SIMULATE_LOSE": "some"]))
        #expect(lost == 1 && sentence == "deploy/run: SIMULATE_LOSE=some: expected a share, such as 0.002 or 0.2%\n")
        #expect(try Folder.names(folder.path).isEmpty)
    }

    @Test func `without an office it waits for one's own LiveKit, and an interrupt ends it in the background too`()
        throws
    {
        let (webhooks, metrics) = (FixedPorts.pick(), FixedPorts.pick())
        // A shell without job control starts what ends with & with the signal ignored.
        let run = try start(
            ["/bin/sh", "-c", #"trap "" INT; exec "$@""#, "sh", Self.script, "--no-office"],
            ["LISTEN": "127.0.0.1:\(webhooks)", "METRICS_LISTEN": "127.0.0.1:\(metrics)"])
        #expect(LoopbackClient.get("/readyz", port: webhooks)?.status == 200)
        #expect(LoopbackClient.get("/metrics", port: metrics)?.status == 200)
        let output = run.output
        let snippet = """
              webhook:
                api_key: devkey
                urls:
                  - http://127.0.0.1:\(webhooks)/webhook

            """
        #expect(output.contains(snippet) && output.contains("LiveKit Cloud: it must reach this machine"), "\(output)")
        #expect(!run.programs().contains { $0.contains(" simulate ") })
        try expectEnd(of: run)
    }

    @Test func `with an office everything runs, and all of it ends`() throws {
        let run = try start([Self.script], ["SIMULATE_SPEED": "100", "SIMULATE_LOSE": "1%"])
        #expect(run.output.contains("A simulated office sends it LiveKit webhooks"))
        #expect(eventually { run.programs().contains { $0.contains(" simulate ") } })
        let office = run.programs().first { $0.contains(" simulate ") } ?? ""
        let api = try #require(UInt16(office.split { !$0.isNumber }.last ?? ""), "\(office)")
        #expect(office.contains(" --lose 1% --api 127.0.0.1:\(api)"), "\(office)")
        #expect(eventually { LoopbackClient.get("/", port: api)?.body.contains("bad_route") == true })
        try expectEnd(of: run)
    }

    // MARK: Tools

    /// A run of the script, and all that it started: they have a variable in common.
    private struct Run {
        let process: ChildProcess
        let mark: String
        let log: String

        var output: String { (try? String(contentsOfFile: log, encoding: .utf8)) ?? "" }

        /// The command lines of the programs that run.
        func programs() -> [String] {
            let numbers = (try? FileManager.default.contentsOfDirectory(atPath: "/proc"))?.filter { Int($0) != nil }
            return (numbers ?? []).compactMap { number in
                // A program that has ended meanwhile has no such file.
                func read(_ file: String) -> String? {
                    (try? FileStore.read("/proc/\(number)/\(file)", limit: 1 << 20)).map {
                        String(decoding: $0, as: UTF8.self)
                    }
                }
                guard read("environ")?.contains(mark) == true else { return nil }
                return read("cmdline")?.replacing("\0", with: " ")
            }
        }
    }

    private func start(_ words: [String], _ changes: [String: String]) throws -> Run {
        let mark = "MARK=\(UInt64.random(in: 0 ... .max))"
        let parts = mark.split(separator: "=").map(String.init)
        let process = try ChildProcess(
            words[0], Array(words.dropFirst()), environment: environment(changes.merging([parts[0]: parts[1]]) { $1 }),
            output: log.file("log"))
        let run = Run(process: process, mark: mark, log: log.file("log"))
        let isThere = eventually { run.output.contains("Ctrl-C stops everything.") || process.poll() != nil }
        try #require(isThere && process.poll() == nil, "\(run.output)")
        for program in ["prometheus", "lkpush serve", "lkpush top"] {
            #expect(eventually { run.programs().contains { $0.contains(program) } }, "\(program)")
        }
        return run
    }

    private func expectEnd(of run: Run) throws {
        #expect(run.process.end(with: SIGINT) == 130, "\(run.output)")
        #expect(eventually { run.programs() == [] }, "\(run.programs())")
        #expect(run.output.contains("Everything has stopped."))
        #expect(try Folder.names(folder.path).isEmpty)
    }
}
