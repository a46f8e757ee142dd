import Platform
import RemoteWrite

/// The computing time that lkpush, Prometheus as an agent and vmagent need for a million delivered samples.
///
/// All three deliver the same 125,000 series every 5 s. lkpush holds them; the others scrape recorded pages of them. Each
/// is a process of its own, and is measured in turn while the others stand still. Server, pages and receiver are in
/// this process, so they are in nobody's figure.
final class CPUComparison {
    /// One sender in one run.
    struct Side {
        let name: String
        /// Seconds of computing for a million samples, one for each round.
        var seconds: [Double] = []
        var samples = 0
        var bytes = 0
        var message = ""
        /// What changing lkpush's values took, which is not in `seconds`.
        var moved = 0.0

        var bytesPerSample: Double { Double(bytes) / Double(max(1, samples)) }
    }

    /// The kinds of runs.
    enum Load: String, CaseIterable {
        /// Every 5 s all series are delivered.
        case equalRate = "equal rate"
        /// Readings of 28 s wait when the receiver takes samples again, so each sender sends as fast as it can. That is
        /// how a pusher is saturated: at a steady rate it never is.
        case saturated = "backlog"
    }

    private enum Limits {
        static let interval = Duration.seconds(5)
        static let round = Duration.seconds(10)
        /// A process that stood still catches up before it is measured.
        static let settling = Duration.seconds(6)
        static let warmUp = Duration.seconds(25)
        /// Five readings and more. vmagent tries again after 31 s in all, the others earlier.
        static let outage = Duration.seconds(28)
        /// The longest wait between two attempts of any sender.
        static let retry = Duration.seconds(90)
        static let recordedPages = 4
        /// With ninety series for each, and lkpush's own, they make 125,000 series.
        static let organizations = 1_385
    }

    private let receiver: PeerReceiver
    private let pages: RecordedPages
    private let peers: [Peer]
    private let paths = ["lkpush", "agent", "vmagent"]
    /// The number of series that lkpush delivers with each reading, and the size of a page of them.
    let series: Int
    let page_bytes: Int

    /// Starts all three, fills lkpush, and warms everything up.
    ///
    /// - Parameter message: the setting `REMOTE_WRITE_MESSAGE` of lkpush.
    init(message: String) throws(LoadGenerator.LoadError) {
        receiver = try PeerReceiver(paths)
        let webhooks = Loopback.freePort()
        let lkpush = try Peer.lkpush(
            "lkpush", mode: "--serve-moving", url: receiver.url("lkpush"), webhooks: webhooks,
            [
                "PUSH_INTERVAL": "5s", "REMOTE_WRITE_MESSAGE": message, "REMOTE_WRITE_TIMEOUT": "300s",
            ])
        let count = Limits.organizations
        try MemoryReport.fill(webhooks, .init(participants: count * 5, rooms: count, organizations: count))
        var recorded: [[UInt8]] = []
        for _ in 0..<Limits.recordedPages { recorded.append(try RecordedPages.record(port: lkpush.port)) }
        let first = recorded[0]
        page_bytes = first.count
        series = Int(RecordedPages.value("lkpush_series", in: first) ?? 0)
        pages = try RecordedPages(recorded)
        let agent = try Peer.agent(scraping: pages.address, every: "5s", url: receiver.url("agent"))
        let vmagent = try Peer.vmagent(scraping: pages.address, every: "5s", url: receiver.url("vmagent"))
        peers = [lkpush, agent, vmagent]
        Pause.wait(Limits.warmUp)
        for (peer, path) in zip(peers, paths) where receiver.figures(path).samples < series {
            throw LoadGenerator.LoadError(description: "\(peer.name) delivers nothing: \(peer.log)")
        }
        for peer in peers { peer.freeze() }
    }

    /// Measures this many rounds. The order of the senders is reversed in each round.
    func run(_ load: Load, rounds: Int) throws(LoadGenerator.LoadError) -> [Side] {
        var sides = peers.map { Side(name: $0.name) }
        for round in 0..<rounds {
            if load == .saturated { holdAll() }
            let order = round % 2 == 0 ? Array(peers.indices) : peers.indices.reversed()
            for index in order { try measure(index, load, into: &sides[index]) }
        }
        return sides
    }

    /// Lets readings pile up in all senders.
    private func holdAll() {
        for path in paths { receiver.setOpen(path, false) }
        for peer in peers { peer.thaw() }
        Pause.wait(Limits.outage)
        for peer in peers { peer.freeze() }
    }

    private func measure(_ index: Int, _ load: Load, into side: inout Side) throws(LoadGenerator.LoadError) {
        let (peer, path) = (peers[index], paths[index])
        let idle = receiver.figures(path).samples
        receiver.setOpen(path, true)
        peer.thaw()
        switch load {
        case .equalRate: Pause.wait(Limits.settling)
        case .saturated:
            guard receiver.wait(for: path, beyond: idle, within: Limits.retry) else {
                throw LoadGenerator.LoadError(description: "\(peer.name) does not try again: \(peer.log)")
            }
        }
        let (cpu, moved, before) = (try peer.cpu(), peer.moved, receiver.figures(path))
        Pause.wait(Limits.round)
        let spent = try peer.cpu() - cpu
        let delivered = receiver.figures(path) - before
        peer.freeze()
        guard delivered.samples > series / 2, delivered.unreadable == 0 else {
            throw LoadGenerator.LoadError(
                description: "\(peer.name) delivered \(delivered.samples) samples in a round: \(peer.log)")
        }
        side.seconds.append(Double(spent) / 1e9 / (Double(delivered.samples) / 1e6))
        side.moved += Double(peer.moved - moved) / 1e9
        side.samples += delivered.samples
        side.bytes += delivered.bytes
        side.message = delivered.message?.rawValue ?? ""
    }
}

/// A wait of this thread.
enum Pause {
    static func wait(_ duration: Duration) {
        _ = Monitor(()).wait(until: SystemTime().monotonic() + duration) { _ in nil as Void? }
    }
}
