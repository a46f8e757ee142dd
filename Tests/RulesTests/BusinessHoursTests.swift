import Foundation
import TestSupport
import Testing

/// The alternative business hours, evaluated by a real Prometheus at many hours.
@Suite(.enabled(if: RuleFiles.isWanted, "set LKPUSH_TEST_PYTHON to a Python with PyYAML and promql-parser"))
struct BusinessHoursTests {
    private static let hour = 3_600.0
    private static let day = 86_400.0

    @Test func `summer time is that of Berlin in every March and October of ten years`() throws {
        let (offset, _) = try Self.expressions()
        let prometheus = try PrometheusServer(takesWrites: false)
        let zone = try #require(TimeZone(identifier: "Europe/Berlin"))
        for year in 2026..<2036 {
            for month in [3, 10] {
                let from = try Self.seconds(year, month)
                let points = try Self.hours(from, days: 31, offset, prometheus)
                let wrong = points.filter {
                    Int($0.value) * 3_600 != zone.secondsFromGMT(for: Date(timeIntervalSince1970: $0.time))
                }
                #expect(wrong.isEmpty, "\(year)-\(month): \(wrong.count) hours, from \(wrong.first?.time ?? 0)")
                #expect(Set(points.map(\.value)) == [1, 2], "the month has both times")
            }
        }
    }

    @Test func `business hours are from 8 to 18 on working days in every hour of a year`() throws {
        let (_, open) = try Self.expressions()
        let prometheus = try PrometheusServer(takesWrites: false)
        let zone = try #require(TimeZone(identifier: "Europe/Berlin"))
        let points = try Self.hours(try Self.seconds(2026, 1), days: 365, open, prometheus)
        let wrong = points.filter { point in
            let offset = Double(zone.secondsFromGMT(for: Date(timeIntervalSince1970: point.time)))
            let local = point.time + offset
            // 1970 began on a Thursday: 0 is Monday here.
            let weekday = (Int(local / Self.day) + 3) % 7
            let hour = Int(local.truncatingRemainder(dividingBy: Self.day) / Self.hour)
            return point.value != (weekday < 5 && (8..<18).contains(hour) ? 1 : 0)
        }
        #expect(wrong.isEmpty, "\(wrong.count) hours, from \(wrong.first?.time ?? 0)")
        #expect(points.count { $0.value == 1 } == 261 * 10, "2026 has 261 working days")
    }

    @Test func `they are always open as the rules come`() throws {
        let rules = try RuleFiles.read().rules
        let open = try #require(rules.first { $0.name == "lkpush:business_hours" })
        let prometheus = try PrometheusServer(takesWrites: false)
        #expect(open.expression == "vector(1)")
        #expect(try prometheus.query(open.expression).map(\.value) == [1])
    }

    /// The hours from UTC, and whether the hour is a business hour, without recorded series.
    private static func expressions() throws -> (offset: String, open: String) {
        let rules = try RuleFiles.read().rules
        // The rules as they come have a rule of this name too. The alternative is read last.
        let offset = try #require(rules.last { $0.name == "lkpush:utc_offset_hours" }).expression
        let open = try #require(rules.last { $0.name == "lkpush:business_hours" }).expression
        return (offset, open.replacingOccurrences(of: "lkpush:utc_offset_hours", with: "(\(offset))"))
    }

    /// The value of an expression at every hour.
    private static func hours(
        _ from: Double, days: Int, _ expression: String, _ prometheus: PrometheusServer
    ) throws -> [PrometheusServer.Point] {
        let to = from + Double(days) * day - hour
        let series = try prometheus.query(expression, from: from, to: to, step: hour)
        try #require(series.count == 1 && series[0].points.count == days * 24)
        return series[0].points
    }

    /// The beginning of a month in UTC.
    private static func seconds(_ year: Int, _ month: Int) throws -> Double {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        return try #require(calendar.date(from: DateComponents(year: year, month: month, day: 1))).timeIntervalSince1970
    }
}
