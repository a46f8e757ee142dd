import Metrics
import Platform
import RemoteWrite
import TestSupport
import Testing
import Wire

/// The size limits of requests, and receivers that find one too large.
@Suite struct DeliveryCapTests {
    private let hour: Int64 = 3_600

    private func time(_ seconds: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: seconds * 1_000_000_000) }

    @Test func `too large halves the cap down to the smallest`() {
        var caps = BatchCaps(full_bytes: 1 << 20)
        let isTrial = caps.noteTooLarge(1_000, at: time(0))
        #expect(!isTrial)
        #expect(caps.cap_bytes == 1 << 19)
        for _ in 0..<20 { _ = caps.noteTooLarge(1_000, at: time(0)) }
        #expect(caps.cap_bytes == Delivery.Limits.smallestCap_bytes)
    }

    @Test func `requests that were made before the cap was halved do not halve it again`() {
        var caps = BatchCaps(full_bytes: 1 << 20)
        for _ in 0..<5 { _ = caps.noteTooLarge(1_000_000, at: time(0)) }
        #expect(caps.cap_bytes == 1 << 19)
        _ = caps.noteTooLarge(500_000, at: time(0))
        #expect(caps.cap_bytes == 1 << 18)
    }

    @Test func `a cap that began below the smallest does not rise`() {
        var caps = BatchCaps(full_bytes: 10_000)
        _ = caps.noteTooLarge(1_000, at: time(0))
        #expect(caps.cap_bytes == 10_000)
        caps.noteAccepted(1_000, at: time(10 * hour))
        #expect(caps.cap_bytes == 10_000)
    }

    @Test func `the cap doubles again every hour in which something is taken, up to what it was`() {
        var caps = BatchCaps(full_bytes: 1 << 20)
        for _ in 0..<2 { _ = caps.noteTooLarge(1_000, at: time(0)) }
        for (seconds, cap) in [(0, 18), (hour - 1, 18), (hour, 19), (hour + 1, 19), (2 * hour, 20), (9 * hour, 20)] {
            caps.noteAccepted(1_000, at: time(seconds))
            #expect(caps.cap_bytes == 1 << cap, "after \(seconds) s")
        }
    }

    @Test func `a cap that rose too high falls to what is known, and the request counts as a trial`() {
        var caps = BatchCaps(full_bytes: 1 << 16)
        _ = caps.noteTooLarge(1_000, at: time(0))
        caps.noteAccepted(1_000, at: time(hour))
        #expect(caps.cap_bytes == 1 << 16)
        let isTrial = caps.noteTooLarge(40_000, at: time(hour))
        #expect(isTrial)
        #expect(caps.cap_bytes == 1 << 15)
    }

    // MARK: Requests

    /// A registry of gauges, each with a label of random text, and its delivery.
    private struct Noise {
        var fixture: SeriesTableFixture
        var delivery: Delivery

        init(_ count: Int, labelSize: Int, _ limits: BatchLimits, histograms: Bool = false) throws {
            fixture = try SeriesTableFixture()
            fixture.settles = false
            delivery = Delivery(DeliverySettings(), limits: limits, seed: 1)
            var random = SplitMix(seed: 3)
            let gauges = fixture.registry.gauge("t_now", "T.", labels: ["n", "filler"])
            let family = fixture.registry.histogram("t_seconds", "T.", labels: ["filler"], bounds: [1, 2])
            for number in 0..<count {
                let filler = (0..<labelSize).map { _ in
                    String(UnicodeScalar(UInt8.random(in: 0x21...0x7E, using: &random)))
                }.joined()
                if histograms {
                    try #require(family.series([filler])).observe(1)
                } else {
                    try #require(gauges.series([String(number), filler])).set(number)
                }
            }
        }

        /// Reads once, and sends all requests. `answer` gives the status to each.
        mutating func requests(_ answer: (Delivery.Attempt) -> Int = { _ in 204 }) throws -> [WriteRequest] {
            #expect(fixture.read(milliseconds: 1_700_000_000_000) == .made)
            delivery.enqueue(fixture.block, &fixture.table)
            var requests: [WriteRequest] = []
            let time = MonotonicTime(nanoseconds: 0)
            while case .send(let attempt) = delivery.next(at: time, &fixture.table) {
                let status = answer(attempt)
                let request = try WriteRequest(compressed: attempt.body)
                #expect(request.series.reduce(0) { $0 + $1.samples.count } == attempt.samples)
                if status == 204 { requests.append(request) }
                _ = delivery.settle(
                    shard: attempt.shard, .answer(status), at: time, wall: Timestamp(seconds: 0), &fixture.table)
            }
            #expect(delivery.isEmpty && delivery.statistics.queue_bytes == 0)
            return requests
        }
    }

    private func limits(samples: Int = 5_000, compressed: Int = 1 << 20, decoded: Int = 8 << 20) -> BatchLimits {
        var limits = BatchLimits(samples: samples)
        limits.compressed_bytes = compressed
        limits.decoded_bytes = decoded
        return limits
    }

    private func check(_ requests: [WriteRequest], series: Int, ofEach group: Int = 1) {
        var seen: Set<String> = []
        for request in requests {
            for series in request.series { #expect(seen.insert(series.text).inserted) }
            #expect(request.series.count { $0.text.hasPrefix("t_") }.isMultiple(of: group))
        }
        #expect(seen.count { $0.hasPrefix("t_") } == series)
    }

    @Test func `requests have at most so many samples`() throws {
        var noise = try Noise(12_000, labelSize: 4, limits())
        let requests = try noise.requests()
        #expect(requests.count == 3)
        #expect(requests.dropLast().allSatisfy { $0.series.count == 5_000 })
        check(requests, series: 12_000)
    }

    @Test func `requests have at most so many decoded bytes`() throws {
        var noise = try Noise(2_000, labelSize: 900, limits(decoded: 300_000))
        var bodies: [[UInt8]] = []
        let requests = try noise.requests {
            bodies.append($0.body)
            return 204
        }
        for body in bodies { #expect(try SnappyBlock.decode(body).count <= 300_000) }
        check(requests, series: 2_000)
    }

    @Test func `requests that compress badly are cut until they are small enough`() throws {
        var noise = try Noise(2_000, labelSize: 900, limits(compressed: 100_000))
        var sizes: [Int] = []
        let requests = try noise.requests {
            sizes.append($0.body.count)
            return 204
        }
        #expect(sizes.count >= 18 && sizes.allSatisfy { $0 <= 100_000 })
        check(requests, series: 2_000)
    }

    @Test func `a series that is larger than any request is still tried`() throws {
        var noise = try Noise(3, labelSize: 900, limits(compressed: 10, decoded: 10))
        let requests = try noise.requests()
        #expect(requests.allSatisfy { $0.series.count == 1 })
        check(requests, series: 3)
    }

    @Test(arguments: [(7, 1 << 20), (5_000, 1), (5_000, 500), (5_000, 2_000)])
    func `a histogram is never cut`(_ samples: Int, _ bytes: Int) throws {
        var noise = try Noise(20, labelSize: 60, limits(samples: samples, compressed: bytes), histograms: true)
        let requests = try noise.requests()
        #expect(requests.count > 1)
        check(requests, series: 100, ofEach: 5)
    }

    @Test(arguments: [false, true])
    func `too large cuts a large request in two that follow each other`(_ histograms: Bool) throws {
        var noise = try Noise(histograms ? 301 : 901, labelSize: 900, limits(), histograms: histograms)
        var sizes: [Int] = []
        let requests = try noise.requests {
            sizes.append($0.body.count)
            return sizes.count == 1 ? 413 : 204
        }
        try #require(sizes[0] > Delivery.Limits.split_bytes)
        #expect(sizes.count == 3)
        #expect(noise.delivery.statistics.splits == 1 && noise.delivery.statistics.rejected == 0)
        check(requests, series: histograms ? 1_505 : 901, ofEach: histograms ? 5 : 1)
    }

    @Test func `a small request that is too large is lost`() throws {
        var noise = try Noise(10, labelSize: 4, limits())
        #expect(try noise.requests { _ in 413 }.isEmpty)
        #expect(noise.delivery.statistics.rejectedByStatus == [413: UInt64(noise.fixture.block.samples.count)])
    }

    @Test func `a proxy that refuses our credentials holds everything: nobody has judged the samples`() throws {
        let fixture = try DeliveryFixture()
        fixture.enqueue(7)
        try fixture.send()
        #expect(fixture.answer(407) == .held(.seconds(30)))
        fixture.now += 30_000
        try fixture.send()
        #expect(fixture.answer(204) == .accepted)
        #expect(fixture.statistics.rejected == 0)
    }
}
