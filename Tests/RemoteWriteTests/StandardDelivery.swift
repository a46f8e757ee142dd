import Platform
import RemoteWrite

// The settings of tests that are about something else.

extension DeliverySettings {
    init() {
        self.init(
            queue: .mebibytes(32), minBackoff: .milliseconds(500), maxBackoff: .seconds(30),
            retriesOnTooManyRequests: true, message: .v1, maxShards: 1)
    }
}

extension Delivery {
    init(_ settings: DeliverySettings = DeliverySettings(), samples: Int = 5_000, seed: UInt64 = 1) {
        self.init(settings, limits: BatchLimits(samples: samples), seed: seed)
    }
}

extension Delivery.Outcome {
    /// An answer of a receiver of version 1.0 to a request that was sent once.
    static func answer(_ status: Int, written: UInt64? = nil) -> Delivery.Outcome {
        .answered(
            status: status, retryAfter: nil, wasResent: false, written: Delivery.Written(samples: written))
    }
}
