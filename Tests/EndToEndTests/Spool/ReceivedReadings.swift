import TestSupport

/// The readings of a program that came to a receiver, and everything that must not happen to samples on the way.
///
/// Each reading has its number in it, from 1 in each life of the program. So whatever is missing shows.
struct ReceivedReadings {
    /// Each violation as a sentence. Empty if there is none.
    private(set) var violations: [String]
    /// The numbers of the readings that are stored, by the life of the program.
    private(set) var lives: [[Int]] = []
    /// The readings of each life that became one with the next, as the program counted them with its last one. A busy
    /// machine makes readings faster than a destination takes them.
    private var merged: [Int] = []
    /// The samples that are stored, by series.
    private let samples: [String: [WriteRequest.Sample]]
    /// The times of the readings that are stored.
    private let times: [Int64]

    private static let counter = "lkpush_remote_write_readings_total"
    private static let mergedCounter = "lkpush_remote_write_readings_merged_total"

    /// - Parameter instance: only series with this label `instance` count.
    init(_ receiver: OutageReceiver, instance: String = "exporter-1") {
        self.init(receiver.requests, holding: receiver.store.samples, instance: instance)
    }

    init(
        _ requests: [ScriptedReceiver.Recorded], holding stored: [String: [WriteRequest.Sample]], instance: String
    ) {
        // A copy of what is stored may come again, since an answer may be lost.
        violations = WriteLog(requests).violations.filter { !$0.contains(" accepted after ") }
        samples = stored.filter { $0.key.contains("instance=\"\(instance)\"") }
        let counted = samples.first { $0.key.hasPrefix(Self.counter + "{") }?.value.filter { !$0.isStale } ?? []
        times = counted.map(\.milliseconds)
        let left = samples.filter { $0.key.hasPrefix(Self.mergedCounter + "{") }.flatMap(\.value).filter { !$0.isStale }
            .reduce(into: [Int64: Double]()) { $0[$1.milliseconds, default: 0] += $1.value }
        for sample in counted {
            let number = Int(sample.value)
            if number > lives.last?.last ?? .max {
                lives[lives.count - 1].append(number)
            } else {
                lives.append([number])
                merged.append(0)
            }
            merged[lives.count - 1] = Int(left[sample.milliseconds] ?? 0)
        }
        checkRefusals(requests, stored)
    }

    /// A sample that was refused as too old must have been stored before: otherwise it was overtaken.
    private mutating func checkRefusals(
        _ requests: [ScriptedReceiver.Recorded], _ stored: [String: [WriteRequest.Sample]]
    ) {
        for (index, recorded) in requests.enumerated() where recorded.answer.status == 400 {
            guard let request = try? recorded.decoded() else { continue }
            for series in request.series {
                let held = stored[series.text] ?? []
                for sample in series.samples
                where !held.contains(where: { $0.milliseconds == sample.milliseconds && $0.bits == sample.bits }) {
                    violations.append(
                        "request \(index): \(series.text) at \(sample.milliseconds) is refused and missing")
                }
            }
        }
    }

    /// Series that lack a sample of a reading although they were there before it and were not ended.
    var holes: [String] {
        samples.sorted { $0.key < $1.key }.flatMap { name, list -> [String] in
            var next = 0
            var holes: [String] = []
            var isThere = false
            for time in times {
                while next < list.count, list[next].milliseconds < time {
                    isThere = !list[next].isStale
                    next += 1
                }
                let isHere = next < list.count && list[next].milliseconds == time
                if isThere && !isHere { holes.append("\(name) at \(time)") }
            }
            return holes
        }
    }

    /// The sentences about readings that are missing.
    ///
    /// - Parameter least: for each life the number of the last reading that must be there at least.
    func missing(least: [Int]) -> [String] {
        guard lives.count == least.count else { return ["\(lives.count) lives of \(least.count): \(lives)"] }
        return zip(zip(lives, merged), least).enumerated().compactMap { life, told in
            let ((numbers, merged), least) = told
            let last = numbers.last ?? 0
            return numbers.count + merged >= last && last >= least
                ? nil
                : "life \(life) has the readings \(numbers), and should have 1 to \(least) at least but for \(merged)"
        }
    }

    /// The stored samples of a metric, one list for each series.
    func samples(of metric: String) -> [[WriteRequest.Sample]] {
        samples.filter { $0.key.hasPrefix(metric + "{") }.map(\.value)
    }
}
