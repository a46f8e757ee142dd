import Glibc

/// `lkpush-bench --peers`: lkpush beside other programs that push the same samples.
enum PeerReport {
    static let programs = ["/usr/bin/prometheus", "/usr/bin/vmagent", "/usr/bin/setpriv"]

    /// Prints the report. Returns false if something did not work.
    ///
    /// - Parameters:
    ///   - rounds: the rounds of each run.
    ///   - filter: only parts whose name contains this text are run.
    static func print(rounds: Int, filter: String, isJSON: Bool) -> Bool {
        for program in programs where access(program, X_OK) != 0 {
            Program.printError("\(program) is missing: deploy/packages test installs it\n")
            return false
        }
        func isChosen(_ name: String) -> Bool { filter.isEmpty || name.contains(filter) }
        do throws(LoadGenerator.LoadError) {
            let loads = CPUComparison.Load.allCases.filter { isChosen("cpu \($0.rawValue)") }
            if !loads.isEmpty { try compareCPU(loads, rounds: rounds, isJSON: isJSON) }
            if isChosen("office day") { try compareDay(isJSON: isJSON) }
            return true
        } catch {
            Program.printError("\(error)\n")
            return false
        }
    }

    // MARK: Computing time

    private static func compareCPU(
        _ loads: [CPUComparison.Load], rounds: Int, isJSON: Bool
    ) throws(LoadGenerator.LoadError) {
        let comparison = try CPUComparison(message: "auto")
        for load in loads {
            let sides = try comparison.run(load, rounds: rounds)
            let head =
                "\(load.rawValue): \(comparison.series) series every 5 s, \(rounds) rounds of 10 s, "
                + "user and system time of the whole process"
            if !isJSON { Swift.print(head) }
            for side in sides { show(side, load, isJSON: isJSON) }
            for (other, most) in zip(sides.dropFirst(), [12.0, 3.0]) {
                let ratio = PairedRatio(sides[0].seconds, to: other.seconds)
                show(
                    "CPU for a sample", load.rawValue, other.name, ratio, promised: load == .equalRate ? 1 / most : nil,
                    isJSON)
            }
            let bytes = sides[0].bytesPerSample / sides[1].bytesPerSample
            show(
                "bytes on the wire for a sample", load.rawValue, sides[1].name, PairedRatio([bytes], to: [1]),
                promised: load == .equalRate ? 0.55 : nil, isJSON)
        }
    }

    private static func show(_ side: CPUComparison.Side, _ load: CPUComparison.Load, isJSON: Bool) {
        let (median, bytes) = (side.seconds.percentile(0.5), side.bytesPerSample)
        if isJSON {
            Swift.print(
                "{\"run\":\"\(load.rawValue)\",\"sender\":\"\(side.name)\",\"message\":\"\(side.message)\","
                    + "\"cpu_seconds_per_million_samples\":\(median),\"rounds\":\(side.seconds),"
                    + "\"samples\":\(side.samples),\"bytes_per_sample\":\(bytes)}")
        } else {
            let rounds = side.seconds.map(ResultRow.number).joined(separator: " ")
            Swift.print(
                "  \(side.name) (\(side.message)): \(ResultRow.number(median)) s for a million samples (\(rounds)), "
                    + "\(ResultRow.number(bytes)) bytes a sample, \(side.samples) samples"
                    + (side.moved > 0 ? "; changing values took \(ResultRow.number(side.moved)) s more" : ""))
        }
        fflush(nil)
    }

    private static func show(
        _ what: String, _ run: String, _ other: String, _ ratio: PairedRatio, promised: Double?, _ isJSON: Bool
    ) {
        if isJSON {
            let limit = promised.map { ",\"promised\":\($0)" } ?? ""
            Swift.print(
                "{\"run\":\"\(run)\",\"ratio\":\"\(what)\",\"to\":\"\(other)\",\"median\":\(ratio.median),"
                    + "\"pairs\":\(ratio.kept),\"of\":\(ratio.all)\(limit)}")
        } else {
            let inverse = ratio.median < 0.5 ? " (1/\(ResultRow.number(1 / ratio.median)))" : ""
            let pairs = ratio.all > 1 ? ", \(ratio.kept) of \(ratio.all) pairs" : ""
            let verdict = promised.map {
                let limit = $0 < 0.5 ? "1/\(ResultRow.number(1 / $0))" : ResultRow.number($0)
                return "; promised at most \(limit): \(ratio.median <= $0 ? "kept" : "NOT KEPT")"
            }
            Swift.print(
                "  \(what), lkpush to \(other): \(ResultRow.number(ratio.median))\(inverse)\(pairs)\(verdict ?? "")")
        }
        fflush(nil)
    }

    // MARK: Bytes

    private static func compareDay(isJSON: Bool) throws(LoadGenerator.LoadError) {
        let comparison = try OfficeDayComparison()
        let days = try comparison.run()
        guard let agent = days.last else { return }
        if !isJSON {
            Swift.print(
                "office day: \(OfficeDayComparison.office), \(comparison.series) series at its end; bodies, no headers")
        }
        for day in days {
            if isJSON {
                Swift.print(
                    "{\"run\":\"office day\",\"sender\":\"\(day.name)\",\"message\":\"\(day.message)\","
                        + "\"readings\":\(day.readings),\"samples\":\(day.figures.samples),"
                        + "\"bytes\":\(day.figures.bytes)}")
            } else {
                Swift.print(
                    "  \(day.name) (\(day.message)): \(day.readings) readings, \(day.figures.samples) samples, "
                        + "\(day.figures.bytes) bytes in \(day.figures.requests) requests, "
                        + "\(ResultRow.number(day.figures.bytesPerSample)) bytes a sample")
            }
        }
        // Both see the same series at the same times. A scrape that fails is an agent's reading of no use.
        let share = agent.samplesPerReading / days[0].samplesPerReading
        if abs(share - 1) > 0.03 {
            Program.printError(
                "the agent had \(ResultRow.number(share)) times lkpush's samples for each reading: is the machine busy?\n"
            )
        }
        for (day, most) in zip(days, [0.55, 0.25, 0.5]) {
            let ratio = PairedRatio([day.bytesPerReading], to: [agent.bytesPerReading])
            show("bytes on the wire, \(day.name)", "office day", agent.name, ratio, promised: most, isJSON)
        }
        let (usual, plain) = (days[1], days[3])
        show(
            "samples, \(usual.name)", "office day", plain.name,
            PairedRatio([usual.samplesPerReading], to: [plain.samplesPerReading]), promised: 1.5, isJSON)
    }
}
