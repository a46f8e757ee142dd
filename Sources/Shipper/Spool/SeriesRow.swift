import RemoteWrite
import SQLite

/// A row of the table of series, as it was read.
struct SeriesRow {
    let firstRow: Int64
    let body: [UInt8]
    /// The series; nil if its bytes are damaged, or say what cannot be.
    let series: SpooledSeries?

    static let query = "SELECT first_row, crc, body FROM series WHERE first_row > ?1 ORDER BY first_row"

    init(_ row: Statement, _ decoder: inout SpooledSeriesDecoder) {
        let key = row.int64(at: 0)
        let bytes = row.bytes(at: 2)
        let crc = RowChecksum.of(kind: SpoolRowKind.series.rawValue, number: key, bytes.span)
        // A series that cannot be decoded is damaged, for whatever reason.
        let decoded = crc == row.int64(at: 1) ? try? decoder.decode(bytes) : nil
        firstRow = key
        body = bytes
        series = decoded.flatMap { Int64($0.firstRow) == key ? $0 : nil }
    }
}

/// Finds series that have a row of the one before them. The series come in the order of their rows.
struct SeriesOverlap {
    private var end: Int64 = 0

    /// Returns the series of a row; nil if it is damaged, or has a row of the one before.
    mutating func accept(_ row: SeriesRow) -> SpooledSeries? {
        guard let series = row.series, row.firstRow >= end else { return nil }
        end = row.firstRow + Int64(series.rowCount)
        return series
    }
}
