extension Batch {
    /// Splits a batch into two, with the first and the last of its series. Returns nil if it holds one series only, or
    /// if it cannot be read.
    ///
    /// A `WriteRequest` is a sequence of time series, so a cut between any two of them makes two requests.
    func halves(limit: Int) -> (Batch, Batch)? {
        guard let raw = Snappy.decompress(body, limit: limit) else { return nil }
        var offset = 0
        var starts: [(offset: Int, samples: Int)] = []
        var count = 0
        while offset < raw.count {
            starts.append((offset, count))
            guard let series = Self.message(in: raw, at: offset, field: Field.requestSeries) else { return nil }
            var inner = series.lowerBound
            while inner < series.upperBound {
                guard let part = Self.message(in: raw, at: inner, field: nil) else { return nil }
                if raw[inner] == Field.seriesSamples { count += 1 }
                inner = part.upperBound
            }
            offset = series.upperBound
        }
        guard starts.count > 1 else { return nil }
        let middle = starts[starts.count / 2]
        return (
            part(raw[..<middle.offset], samples: middle.samples),
            part(raw[middle.offset...], samples: count - middle.samples)
        )
    }

    private func part(_ raw: ArraySlice<UInt8>, samples: Int) -> Batch {
        var compressed: [UInt8] = []
        let size = Snappy.compress(raw, into: &compressed)
        return Batch(
            sequence: sequence, body: Array(compressed[..<size]), samples: samples, rows: rows, oldest: oldest,
            newest: newest)
    }

    /// The range of the content of the length-delimited field at `offset`.
    static func message(in raw: [UInt8], at offset: Int, field: UInt8?) -> Range<Int>? {
        guard field == nil || raw[offset] == field else { return nil }
        var size = 0
        var index = offset + 1
        var shift = 0
        while index < raw.count, shift < 56 {
            size |= Int(raw[index] & 0x7F) << shift
            shift += 7
            index += 1
            if raw[index - 1] < 0x80 { return index + size <= raw.count ? index..<(index + size) : nil }
        }
        return nil
    }
}
