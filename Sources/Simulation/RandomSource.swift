import Glibc
import Platform

/// A small generator of pseudo-random numbers: the same seed gives the same office on every machine.
///
/// Fast, any seed is good, and not for secrets.
struct RandomSource: Sendable, RandomNumberGenerator {
    private var generator: SplitMix

    init(seed: UInt64) { generator = SplitMix(seed: seed) }

    mutating func next() -> UInt64 { generator.next() }

    /// Returns a number from 0 up to 1, without 1.
    mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

    mutating func uniform(_ range: ClosedRange<Double>) -> Double {
        range.lowerBound + unit() * (range.upperBound - range.lowerBound)
    }

    mutating func whole(_ range: ClosedRange<Int64>) -> Int64 {
        range.lowerBound + Int64(next() % UInt64(range.upperBound - range.lowerBound + 1))
    }

    mutating func happens(_ probability: Double) -> Bool { unit() < probability }

    /// Returns a normally distributed number, by the method of Box and Muller.
    mutating func normal(mean: Double, deviation: Double) -> Double {
        mean + deviation * sqrt(-2 * log(1 - unit())) * cos(2 * .pi * unit())
    }

    /// Returns a log-normally distributed number, as the lengths of people's stays are: half of them below `median`,
    /// with a long tail above.
    mutating func logNormal(median: Double, sigma: Double) -> Double {
        median * exp(normal(mean: 0, deviation: sigma))
    }

    /// Returns an index below `count`, lower ones more often.
    mutating func favourite(of count: Int) -> Int {
        min(count - 1, Int(unit() * unit() * Double(count)))
    }

    mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[Int(next() % UInt64(elements.count))]
    }

    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
    private static let crockford = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ")

    /// Returns an id in LiveKit's form: a prefix and twelve characters.
    mutating func id(_ prefix: String) -> String {
        var id = prefix
        for _ in 0..<12 { id.append(pick(Self.alphabet)) }
        return id
    }

    /// Returns a public id of an organization in WorkOS's form.
    mutating func organizationID() -> String {
        var id = "org_01J"
        for _ in 0..<23 { id.append(pick(Self.crockford)) }
        return id
    }
}
