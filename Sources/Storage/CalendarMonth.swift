package import Wire

/// A calendar month in UTC, as invoices count.
package struct CalendarMonth: Sendable, Hashable, CustomStringConvertible {
    package let year: Int
    /// 1 to 12.
    package let month: Int

    /// The years whose days every database and every text of them can compare.
    private static let years = 1970...9998

    private init(year: Int, month: Int) {
        self.year = year
        self.month = month
    }

    /// The month of a day.
    package init(_ day: CivilDate) {
        let (year, month, _) = day.parts
        self.init(year: year, month: month)
    }

    /// Reads a text such as `2026-11`. Nil for any other.
    package init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].utf8.count == 4, parts[1].utf8.count == 2,
            parts.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
            let year = Int(parts[0]), let month = Int(parts[1]), Self.years.contains(year), (1...12).contains(month)
        else { return nil }
        self.init(year: year, month: month)
    }

    /// The first day.
    package var firstDay: CivilDate { CivilDate(year: year, month: month, day: 1) }

    /// The first day of the month after it.
    package var dayAfter: CivilDate { next.firstDay }

    /// The moment when it begins.
    package var begin: Timestamp { firstDay.begin }

    /// The moment when it is over.
    package var end: Timestamp { dayAfter.begin }

    package var next: CalendarMonth {
        month == 12 ? CalendarMonth(year: year + 1, month: 1) : CalendarMonth(year: year, month: month + 1)
    }

    package var previous: CalendarMonth { CalendarMonth(firstDay.before(days: 1)) }

    /// The form that `init` reads.
    package var description: String { String(firstDay.description.dropLast(3)) }

    /// The form for people: `November 2026`.
    package var title: String { "\(Self.names[month - 1]) \(year)" }

    private static let names = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ]
}

extension CivilDate {
    fileprivate var begin: Timestamp { Timestamp(seconds: Int64(daysSinceEpoch) * 86_400) }
}
