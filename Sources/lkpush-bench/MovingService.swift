import Exporter
import Glibc
import Metrics
import Platform

/// The whole exporter, in which every series that LiveKit's events made has another value at each reading, although no
/// events come while it is measured.
enum MovingService {
    /// The variable with the name of a file, which holds the nanoseconds of computing that the changes took so far. They
    /// stand for events, and are no part of pushing.
    static let fileVariable = "LKPUSH_BENCH_MOVED"

    /// The computing time that is in such a file.
    static func moved(_ path: String) -> Int64 {
        // There is no file before the first change.
        let bytes = (try? FileStore.read(path, limit: 8)) ?? []
        return bytes.reversed().reduce(0) { $0 << 8 | Int64($1) }
    }

    /// Runs until a signal. Its settings come from the environment. Returns the exit status.
    static func run() -> Int32 {
        var reader = SettingsReader(ProcessEnvironment.current)
        let settings = Settings(&reader)
        let log = Log(level: .warning, format: .text)
        defer { log.flush(by: SystemTime().monotonic() + .seconds(1)) }
        guard reader.problems.isEmpty else {
            Program.printError("\(reader.problems)\n")
            return 1
        }
        do throws(StartError) {
            let service = try Service(settings, log: log)
            let registry = service.registry
            let path = ProcessEnvironment.current[fileVariable] ?? "/dev/null"
            let values = Monitor(Values(file: open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)))
            registry.onRead { values.change { $0.move(in: registry) } }
            try service.start()
            while Signals.wait() != .stop {}
            return service.stop() ? 0 : 1
        } catch {
            Program.printError("\(error)\n")
            return 1
        }
    }

    /// The instruments of all series whose values come from events.
    private struct Values {
        private var instruments: [Series.AnyInstrument] = []
        /// The number of all series, as the registry shows it. It tells when the list is out of date.
        private var count: Gauge?
        private var known = -1.0
        private var turn = 0
        private var spent_ns: Int64 = 0
        private let file: Int32

        init(file: Int32) { self.file = file }

        /// Changes every value. The list is made only when series come or go.
        mutating func move(in registry: Registry) {
            let start = LoadGenerator.threadTime()
            defer {
                spent_ns += LoadGenerator.threadTime() - start
                withUnsafeBytes(of: spent_ns.littleEndian) { _ = pwrite(file, $0.baseAddress, $0.count, 0) }
            }
            if count?.value != known { list(registry) }
            turn += 1
            for (index, instrument) in instruments.enumerated() {
                switch instrument {
                case .counter(let counter): counter.increment(by: Double(1 + index % 7))
                case .gauge(let gauge): gauge.set((index + turn * 31) % 1_000)
                // The value is below the first bound, so that all buckets change.
                case .histogram(let histogram): histogram.observe(0.05)
                }
            }
        }

        private mutating func list(_ registry: Registry) {
            let all = registry.snapshot()
            instruments = all.filter { $0.family.name.hasPrefix("lk_") }.flatMap(\.series).map(\.instrument)
            let series = all.first { $0.family.name == "lkpush_series" }?.series.first
            if case .gauge(let gauge)? = series?.instrument { count = gauge }
            known = count?.value ?? -1
        }
    }
}
