import Exporter
import Glibc
import Platform

/// The benchmark program, from its arguments to its exit status.
enum Program {
    /// All cases, in the order of the output.
    static var cases: [BenchmarkCase] {
        TokenCases.all + DecodingCases.all + RecorderCases.all + SnapshotCases.all + PollCases.all + TickCases.all
            + ExpositionCases.all
            + QueueCases.all + JournalCases.all + StartCases.all + LookupCases.all + HTTPCases.all
    }

    static func run(_ arguments: [String]) -> Int32 {
        let options: Options
        do throws(Options.FlagFault) {
            options = try Options(arguments)
        } catch {
            printError("lkpush-bench: \(error)\n")
            return 64
        }
        let chosen = cases.filter { options.filter.isEmpty || $0.name.contains(options.filter) }
        switch options.mode {
        case .help: print(Options.help, terminator: "")
        case .list: for benchmark in chosen { print(benchmark.name) }
        case .serve:
            return Exporter.Program.run(
                arguments: [], environment: ProcessEnvironment.current,
                simulate: (CommandSyntax("simulate", ""), { _, _, _ in 64 }),
                top: (CommandSyntax("top", ""), { _, _ in 64 }))
        case .serveMoving: return MovingService.run()
        case .peers:
            return PeerReport.print(rounds: options.rounds, filter: options.filter, isJSON: options.isJSON) ? 0 : 1
        case .replicas: return ReplicaReport.print(rounds: options.rounds, isJSON: options.isJSON) ? 0 : 1
        case .memory: return MemoryReport.print(isJSON: options.isJSON) ? 0 : 1
        case .outage: return OutageReport.print(readings: options.readings, isJSON: options.isJSON) ? 0 : 1
        case .measure: show(chosen, isJSON: options.isJSON)
        case .check: return check(chosen)
        }
        return 0
    }

    private static func show(_ chosen: [BenchmarkCase], isJSON: Bool) {
        if !isJSON { print(ResultRow.header) }
        for benchmark in chosen {
            guard let result = benchmark.measure(.thorough) else {
                if !isJSON { print("\(benchmark.name): left out, see --help") }
                continue
            }
            let row = ResultRow(benchmark, result)
            print(isJSON ? row.json : row.text)
            // Without this, all lines come at once at the end of a pipe.
            fflush(nil)
        }
    }

    /// Compares allocations with the thresholds. Times are shown, but do not fail the check.
    private static func check(_ chosen: [BenchmarkCase]) -> Int32 {
        var failures = 0
        print(ResultRow.header)
        for benchmark in chosen {
            guard let threshold = Thresholds.allocations[benchmark.name] else { continue }
            guard let result = benchmark.measure(.brief) else { continue }
            print(ResultRow(benchmark, result).text)
            fflush(nil)
            if result.allocations > threshold {
                failures += 1
                printError(
                    "\(benchmark.name): \(ResultRow.number(result.allocations)) allocations per \(benchmark.operation), "
                        + "kept are \(ResultRow.number(threshold))\n")
            }
        }
        print(failures == 0 ? "No case allocates more than it may." : "\(failures) cases allocate more than they may.")
        return failures == 0 ? 0 : 1
    }

    static func printError(_ text: String) { Terminal.printError(text) }
}
