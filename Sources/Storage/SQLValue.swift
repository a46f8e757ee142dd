package import Wire

/// A parameter of a statement, or a column of a row.
///
/// Times and days keep their type on the way in, so that each database stores them in a form that it can compare. On
/// the way out they are text, and are parsed only where their meaning is needed.
package enum SQLValue: Sendable, Hashable {
    case null
    case integer(Int64)
    case double(Double)
    case text(String)
    case time(Timestamp)
    case day(CivilDate)

    /// Makes a value of the primary key of an organization.
    package init(_ key: OrganizationKey) {
        switch key {
        case .integer(let number): self = .integer(number)
        case .text(let text): self = .text(text)
        }
    }

    /// A whole number, in whatever form the database returned it: PostgreSQL returns sums of integers as decimals.
    package var asInteger: Int64? {
        switch self {
        case .integer(let number): number
        case .double(let number): Int64(exactly: number)
        case .text(let text): Int64(text)
        case .null, .time, .day: nil
        }
    }

    /// A number, in whatever form the database returned it.
    package var asDouble: Double? {
        switch self {
        case .integer(let number): Double(number)
        case .double(let number): number
        case .text(let text): Double(text)
        case .null, .time, .day: nil
        }
    }

    /// A text, or a number as its digits; nil for NULL.
    package var asText: String? {
        switch self {
        case .null: nil
        case .integer(let number): String(number)
        case .double(let number): String(number)
        case .text(let text): text
        case .time(let time): CivilTime(time).description
        case .day(let day): day.description
        }
    }

    /// A primary key of any type; nil for NULL.
    package var asKey: OrganizationKey? {
        switch self {
        case .integer(let number): .integer(number)
        default: asText.map { .text($0) }
        }
    }
}
