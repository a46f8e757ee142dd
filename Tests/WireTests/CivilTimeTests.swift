import Testing
import Wire

@Suite struct CivilTimeTests {
    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"), (1_790_575_221_445, "2026-09-28T06:00:21.445Z"),
            (4_107_542_399_999, "2100-02-28T23:59:59.999Z"), (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        ] as [(Int64, String)])
    func `times are written as RFC 3339`(milliseconds: Int64, text: String) {
        #expect(CivilTime(Timestamp(milliseconds: milliseconds)).description == text)
    }

    @Test func `a day begins at midnight UTC`() {
        let midnight = Timestamp(milliseconds: 1_790_553_600_000)
        #expect(CivilDate(midnight).description == "2026-09-28")
        #expect(CivilDate(midnight - .milliseconds(1)).description == "2026-09-27")
        #expect(CivilDate(midnight).daysSinceEpoch == CivilDate(midnight - .milliseconds(1)).daysSinceEpoch + 1)
    }
}
