import LiveKit
import Metrics
import Storage
import Wire

// The stored form of usage and of sparse series; `proto/journal.proto` describes it. Label values are written as texts,
// so that another version of the program finds its own series.

extension MessageWriter {
    /// Writes an open share.
    mutating func field(_ number: Int, _ share: UsageShare) {
        guard share.isOpen else { return }
        message(number) { writer in
            writer.field(1, share.opened_ms)
            if share.isStanding { writer.element(2, share.standing_ms) }
            writer.field(3, share.start_ms)
            writer.field(4, share.moved_ms)
            writer.field(5, share.early_ms)
            writer.field(6, share.isBehind)
            writer.field(7, share.isContinued)
        }
    }

    fileprivate mutating func field(_ number: Int, _ interval: UsageInterval) {
        message(number) { writer in
            writer.field(1, interval.start_ms)
            writer.field(2, interval.length_ms)
        }
    }

    fileprivate mutating func field(_ number: Int, _ amount: UsageAmount) {
        message(number) { writer in
            writer.field(1, amount.length_ms)
            writer.field(2, amount.count)
            writer.field(3, amount.billed_minutes)
        }
    }
}

extension MessageReader {
    /// Reads a length of time in milliseconds, which is never longer than time itself.
    fileprivate mutating func length() throws(MessageFault) -> Int64 { UsageInterval.clamped(try int64()) }

    /// Reads a total. A larger one shows that the bytes are damaged: sums could overflow.
    fileprivate mutating func total() throws(MessageFault) -> Int64 {
        let value = try int64()
        guard value.magnitude < 1 << 53 else { throw MessageFault("a total of usage is too large") }
        return value
    }
}

extension UsageShare {
    init(from message: consuming MessageReader) throws(MessageFault) {
        var reader = message
        self.init()
        isOpen = true
        while let field = try reader.next() {
            switch field {
            case 1: opened_ms = UsageInterval.clamped(try reader.int64())
            case 2: standing_ms = try reader.length()
            case 3: start_ms = UsageInterval.clamped(try reader.int64())
            case 4: moved_ms = try reader.length()
            case 5: early_ms = try reader.length()
            case 6: isBehind = try reader.bool()
            case 7: isContinued = try reader.bool()
            default: try reader.skip()
            }
        }
    }
}

extension UsageInterval {
    fileprivate init(from message: consuming MessageReader) throws(MessageFault) {
        var reader = message
        self = .zero
        while let field = try reader.next() {
            switch field {
            case 1: start_ms = UsageInterval.clamped(try reader.int64())
            case 2: length_ms = try reader.length()
            default: try reader.skip()
            }
        }
    }
}

extension UsageAmount {
    fileprivate init(from message: consuming MessageReader) throws(MessageFault) {
        var reader = message
        self.init()
        while let field = try reader.next() {
            switch field {
            case 1: length_ms = try reader.total()
            case 2: count = try reader.total()
            case 3: billed_minutes = try reader.total()
            default: try reader.skip()
            }
        }
    }
}

// MARK: The clock and the rows

extension UsageState {
    func encode(into writer: inout MessageWriter) {
        writer.field(1, now_ms)
        if let lag_ms { writer.element(2, lag_ms) }
        writer.field(3, hasAgentEvents)
        writer.field(4, isTableUsable)
        writer.field(5, lastRows_ms)
        for (key, amount) in orderedRows {
            writer.message(6) { writer in
                writer.message(1) { key.owner.encode(into: &$0) }
                writer.field(2, key.day)
                writer.field(3, key.usage)
                writer.field(4, amount)
            }
        }
        for (id, estimate) in estimates.sorted(by: { $0.key.bits < $1.key.bits }) {
            writer.message(7) { writer in
                writer.field(1, fixed: id.bits)
                writer.field(3, estimate.organization)
                writer.field(4, estimate.whole)
                writer.field(5, estimate.moved_ms)
                writer.field(6, estimate.notInRows_ms)
                writer.field(7, estimate.isContinued)
                writer.field(8, estimate.madeAt_ms)
                writer.field(9, estimate.roomName)
                estimate.keys.forEach { key in
                    writer.message(10) { writer in
                        writer.field(1, key.kind.rawValue)
                        for value in estimate.values(of: key) { writer.element(2, value) }
                    }
                }
            }
        }
        writer.field(8, hasShownAhead)
        writer.field(9, isBehind)
    }

    init(from message: consuming MessageReader) throws(MessageFault) {
        var reader = message
        self.init()
        while let field = try reader.next() {
            switch field {
            case 1: now_ms = UsageInterval.clamped(try reader.int64())
            case 2: lag_ms = UsageInterval.clamped(try reader.int64())
            case 3: hasAgentEvents = try reader.bool()
            case 4: isTableUsable = try reader.bool()
            case 5: lastRows_ms = try reader.int64()
            case 6: try readRow(reader.message())
            case 7: try readEstimate(reader.message())
            case 8: hasShownAhead = try reader.bool()
            case 9: isBehind = try reader.bool()
            default: try reader.skip()
            }
        }
        day = UsageInterval.day(of: now_ms)
    }

    private mutating func readRow(_ message: consuming MessageReader) throws(MessageFault) {
        var reader = message
        var owner: RowOwner?
        var day = 0
        var usage = ""
        var amount = UsageAmount()
        while let field = try reader.next() {
            switch field {
            case 1:
                var nested = try reader.message()
                owner = try RowOwner(from: &nested)
            case 2: day = try reader.int()
            case 3: usage = try reader.string()
            case 4: amount = try UsageAmount(from: reader.message())
            default: try reader.skip()
            }
        }
        guard let owner else { throw MessageFault("an amount of usage has no owner") }
        guard UsageInterval.days.contains(day) else { throw MessageFault("an amount of usage has no day") }
        rows[UsageRowKey(owner: owner, day: day, usage: usage)] = amount
    }

    private mutating func readEstimate(_ message: consuming MessageReader) throws(MessageFault) {
        var reader = message
        var bits: UInt64 = 0
        var estimate = UsageEstimate(keys: UsageKeys(.connection(.other)))
        var keys: [UsageKey] = []
        while let field = try reader.next() {
            switch field {
            case 1: bits = try reader.fixed64()
            case 3: estimate.organization = try reader.string()
            case 4: estimate.whole = try UsageInterval(from: reader.message())
            case 5: estimate.moved_ms = try reader.length()
            case 6: estimate.notInRows_ms = try reader.length()
            case 7: estimate.isContinued = try reader.bool()
            case 8: estimate.madeAt_ms = try reader.int64()
            case 9: estimate.roomName = try reader.string()
            case 10:
                if let key = try estimate.readKey(reader.message()) { keys.append(key) }
            default: try reader.skip()
            }
        }
        // Series that this program does not have are not corrected.
        guard let first = keys.first else { return }
        estimate.keys = UsageKeys(first, keys.dropFirst().first)
        estimates[Fingerprint(bits: bits)] = estimate
    }
}

extension UsageEstimate {
    /// Returns the label values of one of its series, after those of the organization.
    fileprivate func values(of key: UsageKey) -> [String] {
        if key.kind == .agent { return [agentName ?? ""] }
        return key.values(NameList())
    }

    /// Reads one of its series; nil if this program has no such series.
    fileprivate mutating func readKey(_ message: consuming MessageReader) throws(MessageFault) -> UsageKey? {
        var reader = message
        var kind = ""
        var values: [String] = []
        while let field = try reader.next() {
            switch field {
            case 1: kind = try reader.string()
            case 2: values.append(try reader.string())
            default: try reader.skip()
            }
        }
        guard let kind = UsageKind(rawValue: kind) else { return nil }
        if kind == .agent { agentName = values.first }
        var agents = NameList()
        return UsageKey(kind, values: values, agents: &agents)
    }
}

// MARK: The series of an organization

/// A saved series of usage, with its label values.
struct SavedUsage: Sendable {
    var kind = ""
    var values: [String] = []
    var series = UsageSeries(.connection(.standard))
    var created: Timestamp?
    var billedCreated: Timestamp?
    var gaugeCreated: Timestamp?

    init(from message: consuming MessageReader) throws(MessageFault) {
        var reader = message
        while let field = try reader.next() {
            switch field {
            case 1: kind = try reader.string()
            case 2: values.append(try reader.string())
            case 3: series.ended_ms = try reader.total()
            case 4: series.shown_ms = try reader.total()
            case 5: series.origin_ms = try reader.total()
            case 6: series.written_ms = try reader.total()
            case 7: series.ends = try reader.total()
            case 8: series.billedToday = try reader.total()
            case 9: series.billed = try reader.total()
            case 10: series.billedShown = try reader.total()
            case 11: series.billedOrigin = try reader.total()
            case 12: created = Timestamp(milliseconds: try reader.int64())
            case 13: billedCreated = Timestamp(milliseconds: try reader.int64())
            case 14: gaugeCreated = Timestamp(milliseconds: try reader.int64())
            case 15: series.uncertain_ms = try reader.total()
            default: try reader.skip()
            }
        }
    }
}

/// A saved sparse series: the name of its metric, its label values and its value.
struct SavedSparse: Sendable {
    var name = ""
    var values: [String] = []
    var series = MessageReader([])

    init(from message: consuming MessageReader) throws(MessageFault) {
        var reader = message
        while let field = try reader.next() {
            switch field {
            case 1: name = try reader.string()
            case 2: values.append(try reader.string())
            case 3: series = try reader.message()
            default: try reader.skip()
            }
        }
    }
}

extension OrganizationState {
    func encodeUsage(into writer: inout MessageWriter, _ catalog: Catalog) {
        for series in usage.series {
            writer.message(10) { writer in
                writer.field(1, series.key.kind.rawValue)
                for value in series.key.values(sparse.agents) { writer.element(2, value) }
                writer.field(3, series.ended_ms)
                writer.field(4, series.shown_ms)
                writer.field(5, series.origin_ms)
                writer.field(6, series.written_ms)
                writer.field(7, series.ends)
                writer.field(8, series.billedToday)
                writer.field(9, series.billed)
                writer.field(10, series.billedShown)
                writer.field(11, series.billedOrigin)
                writer.field(15, series.uncertain_ms)
                if let created = series.counter?.created { writer.element(12, created.milliseconds) }
                if let created = series.billedCounter?.created { writer.element(13, created.milliseconds) }
                if let created = series.gauge?.created { writer.element(14, created.milliseconds) }
            }
        }
        for (key, instrument) in sparse.instruments.sorted(by: { $0.key < $1.key }) {
            let metric = catalog.sparse[Int(key.metric)]
            writer.message(11) { writer in
                writer.field(1, metric.name)
                for value in sparse.values(of: metric, key) { writer.element(2, value) }
                writer.message(3) { $0.sparse(instrument) }
            }
        }
        for name in sparse.agents.names { writer.element(12, name) }
        for name in sparse.reasons.names { writer.element(13, name) }
    }

    /// Makes the saved series of usage and the sparse ones again. What is open is added later.
    mutating func resume(
        _ usages: [SavedUsage], _ sparse: [SavedSparse], agents: [String], reasons: [String], _ catalog: Catalog,
        keepsTotals: Bool
    ) throws(MessageFault) {
        for name in agents { _ = self.sparse.agents.place(of: name) }
        for name in reasons { _ = self.sparse.reasons.place(of: name) }
        for saved in usages {
            guard let kind = UsageKind(rawValue: saved.kind),
                let key = UsageKey(kind, values: saved.values, agents: &self.sparse.agents), usage.find(key) == nil
            else { continue }
            usage.series.append(resumed(saved, key, catalog, keepsTotals: keepsTotals))
        }
        for saved in sparse {
            guard let metric = catalog.sparse.first(where: { $0.name == saved.name }),
                let key = self.sparse.key(of: metric, saved.values)
            else { continue }
            var series = try SavedSeries(saved.series, in: metric.column)
            if metric.column == .gauges {
                // What is open makes it again.
                series.held = .gauge(0)
            } else if !keepsTotals {
                continue
            }
            guard let made = metric.resume(series, prefix + saved.values) else { continue }
            self.sparse.insert(made, key)
        }
    }

    private func resumed(
        _ saved: SavedUsage, _ key: UsageKey, _ catalog: Catalog, keepsTotals: Bool
    ) -> UsageSeries {
        var series = UsageSeries(key)
        let values = prefix + saved.values
        series.ended_ms = saved.series.ended_ms
        series.written_ms = saved.series.written_ms
        series.billed = saved.series.billed
        // Rows lack these ends and minutes even if the counters begin at 0.
        (series.ends, series.billedToday) = (saved.series.ends, saved.series.billedToday)
        if keepsTotals {
            series.shown_ms = saved.series.shown_ms
            series.uncertain_ms = saved.series.uncertain_ms
            series.origin_ms = saved.series.origin_ms
            series.billedShown = saved.series.billedShown
            series.billedOrigin = saved.series.billedOrigin
        }
        let created = keepsTotals ? saved.created : nil
        series.counter = catalog.usageSeconds(key.kind).instrument(values, created: created)
        series.counter?.set(total: Double(series.shown_ms) / 1_000)
        if key.kind == .connection {
            series.billedCounter = catalog.billedMinutes.instrument(
                values, created: keepsTotals ? saved.billedCreated : nil)
            series.billedCounter?.set(total: Double(series.billedShown))
        }
        if let gaugeCreated = saved.gaugeCreated {
            // What is open sets it.
            series.gauge = catalog.usageActive(key.kind)?.instrument(values, created: gaugeCreated)
        }
        return series
    }
}

extension SparseTable {
    /// Finds the key of a series by its label values; nil if this program has no such series.
    fileprivate mutating func key(of metric: any SparseDeclaration, _ values: [String]) -> Key? {
        var values = values[...]
        let index = (metric.isByAgent ? 1 : 0) + (metric.isByReason ? 1 : 0) + metric.labels.names.count
        guard values.count == index else { return nil }
        let agent = metric.isByAgent ? agents.place(of: values.removeFirst()) : 0
        let reason = metric.isByReason ? reasons.place(of: values.removeLast()) : 0
        guard let offset = metric.labels.combinations.firstIndex(of: Array(values)) else { return nil }
        return Key(metric: metric.index, offset: offset, agent: agent, reason: reason)
    }
}

extension SparseTable.Key: Comparable {
    static func < (a: SparseTable.Key, b: SparseTable.Key) -> Bool {
        (a.metric, a.agent, a.offset, a.reason) < (b.metric, b.agent, b.offset, b.reason)
    }
}
