import Platform

/// Takes the samples of the plots, on the thread `status`.
final class StatusThread: Sendable {
    private let stops = Monitor(false)
    private let thread: NamedThread

    init(_ board: StatusBoard, time: any TimeSource) {
        thread = NamedThread(name: "status") { [stops] in
            var next = time.monotonic()
            while true {
                board.sample()
                // A sample that was late is not made up for.
                next = max(next + StatusHistory.Limits.step, time.monotonic())
                // The wait is that of the clock that was given, which may be ahead of the one that ends it.
                let wait = next.since(time.monotonic())
                if stops.wait(until: SystemTime().monotonic() + wait, { $0 ? true : nil }) == true { return }
            }
        }
    }

    func stop() {
        stops.change { $0 = true }
        thread.join()
    }
}
