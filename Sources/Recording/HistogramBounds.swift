/// The upper bounds of a histogram's buckets, in seconds. They are part of the contract and never change.
struct HistogramBounds: Sendable {
    private let bounds: [Double]
    /// `HISTOGRAM_LONG_BUCKETS` appends further bounds.
    private let mayBeLonger: Bool

    private static let longer: [Double] = [7_200, 14_400, 28_800]

    static let room = HistogramBounds(
        bounds: [30, 54, 97, 175, 315, 567, 1_020, 1_837, 3_307, 5_953], mayBeLonger: true)
    static let session = HistogramBounds(
        bounds: [15, 27, 48, 87, 157, 283, 509, 916, 1_649, 2_969], mayBeLonger: true)
    static let job = HistogramBounds(
        bounds: [30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200, 14_400], mayBeLonger: false)
    static let lag = HistogramBounds(bounds: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300], mayBeLonger: false)

    static let wait = HistogramBounds(bounds: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60], mayBeLonger: false)

    func values(long: Bool) -> [Double] { long && mayBeLonger ? bounds + Self.longer : bounds }
}
