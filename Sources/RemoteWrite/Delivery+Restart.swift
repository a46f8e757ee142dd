import Wire

extension Delivery {
    /// Puts a zero before the first waiting sample of each of these series. Their first zeros were in a batch that was
    /// dropped before any of it was sent.
    ///
    /// It decompresses and compresses each later batch until all series were found, which is usually one batch. A body
    /// grows by 18 bytes for each zero, and may then hold more samples than `BatchLimits` says.
    ///
    /// - Returns: the number of the batch for each group that was found.
    package mutating func restart(
        _ starts: [LostStart], after sequence: UInt64, into effects: inout [Effect]
    ) -> [Int: UInt64] {
        var wanted: [[UInt8]: Int] = [:]
        for start in starts {
            for labels in start.labels { wanted[labels] = start.group }
        }
        var places: [Int: UInt64] = [:]
        var more = (samples: 0, bytes: 0)
        queue.updateEach { entry in
            // A batch that was tried once must be sent again with the same bytes.
            guard entry.batch.sequence > sequence, entry.attempts == 0,
                starts.contains(where: { places[$0.group] == nil && $0.rows.overlaps(entry.batch.rows) }),
                let (batch, groups) = entry.batch.startingAtZero(wanted, limit: Limits.decoded_bytes)
            else { return true }
            more.samples += batch.samples - entry.batch.samples
            more.bytes += batch.body.count - entry.batch.body.count
            entry.batch = batch
            for group in groups { places[group] = batch.sequence }
            for start in starts where groups.contains(start.group) {
                for labels in start.labels { wanted[labels] = nil }
            }
            return !wanted.isEmpty
        }
        statistics.enqueued += UInt64(more.samples)
        statistics.queue_bytes += more.bytes
        dropOldest(into: &effects)
        return places
    }
}

extension Batch {
    /// A copy of the batch with a zero right before the first sample of each series that has these label bytes. Returns
    /// nil if the batch has none of them, or cannot be read.
    func startingAtZero(_ wanted: [[UInt8]: Int], limit: Int) -> (batch: Batch, groups: Set<Int>)? {
        guard let raw = Snappy.decompress(body, limit: limit) else { return nil }
        var changed: [UInt8] = []
        changed.reserveCapacity(raw.count + 64 * wanted.count)
        var groups: Set<Int> = []
        var zeros = 0
        var oldest = oldest
        var offset = 0
        while offset < raw.count {
            guard let series = Self.message(in: raw, at: offset, field: Field.requestSeries),
                let labels = Self.labels(in: raw, series), let time = Self.firstTime(in: raw, labels.upperBound)
            else { return nil }
            if let group = wanted[Array(raw[labels])] {
                let zero = EncodedSample(bits: 0, time: EncodedTime(time - .milliseconds(1)))
                changed.append(Field.requestSeries)
                changed.appendVarint(UInt64(series.count + zero.size))
                changed.append(contentsOf: raw[labels])
                zero.append(to: &changed)
                changed.append(contentsOf: raw[labels.upperBound..<series.upperBound])
                oldest = min(oldest, zero.time.timestamp)
                groups.insert(group)
                zeros += 1
            } else {
                changed.append(contentsOf: raw[offset..<series.upperBound])
            }
            offset = series.upperBound
        }
        guard zeros > 0 else { return nil }
        var compressed: [UInt8] = []
        let size = Snappy.compress(changed[...], into: &compressed)
        let batch = Batch(
            sequence: sequence, body: Array(compressed[..<size]), samples: samples + zeros, rows: rows,
            oldest: oldest, newest: newest)
        return (batch, groups)
    }

    /// The range of a series' labels: everything before its first sample.
    private static func labels(in raw: [UInt8], _ series: Range<Int>) -> Range<Int>? {
        var end = series.lowerBound
        while end < series.upperBound, raw[end] == Field.seriesLabels {
            guard let label = message(in: raw, at: end, field: nil) else { return nil }
            end = label.upperBound
        }
        return end < series.upperBound ? series.lowerBound..<end : nil
    }

    /// The time of the sample at `offset`, in the form that `EncodedSample` writes.
    private static func firstTime(in raw: [UInt8], _ offset: Int) -> Timestamp? {
        guard let sample = message(in: raw, at: offset, field: Field.seriesSamples), sample.count > 10,
            raw[sample.lowerBound] == Field.sampleValue, raw[sample.lowerBound + 9] == Field.sampleTimestamp
        else { return nil }
        var value: UInt64 = 0
        var shift: UInt64 = 0
        for byte in raw[(sample.lowerBound + 10)..<sample.upperBound] where shift < 64 {
            value |= UInt64(byte & 0x7F) << shift
            shift += 7
        }
        return Timestamp(milliseconds: Int64(bitPattern: value))
    }
}
