import Wire

extension StoreRow {
    /// The organization that owns the row; nil for a row that needs none.
    var owner: RowOwner? {
        switch self {
        case .session(let row): row.owner
        case .recording(let row): row.owner
        case .present(let row): row.owner
        case .absent: nil
        case .usage(let row): row.owner
        }
    }

    /// The UTC day of a row that has one.
    private var day: CivilDate? {
        switch self {
        case .session(let row): row.day
        case .usage(let row): row.day
        case .recording, .present, .absent: nil
        }
    }

    /// The reason for which no database can compare the row's values: a time outside of the years 1 to 9999, or a
    /// duration that is not a number, which would turn every sum into NaN. Nil for a row that can be stored.
    var fault: String? {
        let (times, duration): ([Timestamp?], Double?) =
            switch self {
            case .session(let row): ([], row.duration_seconds)
            case .recording(let row): ([row.startedAt, row.endedAt, row.expiresAt], row.duration_seconds)
            case .present(let row): ([row.joinedAt], nil)
            case .absent, .usage: ([], nil)
            }
        if let day, !Self.days.contains(day.daysSinceEpoch) {
            return "its day is outside of the years 1 to 9999"
        }
        if times.contains(where: { $0.map { !Self.times.contains($0.milliseconds) } ?? false }) {
            return "a time of it is outside of the years 1 to 9999"
        }
        return duration.map(\.isFinite) ?? true ? nil : "its duration is not a number"
    }

    /// 0001-01-01 to 9999-12-31.
    static var days: ClosedRange<Int> { -719_162...2_932_896 }
    static var times: ClosedRange<Int64> { -62_135_596_800_000...253_402_300_799_999 }
}
