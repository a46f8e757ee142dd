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
    init(_ settings: DeliverySettings = DeliverySettings(), seed: UInt64) {
        self.init(settings, cap_bytes: BatchLimits().compressed_bytes, seed: seed)
    }
}

extension BatchLimits {
    init() { self.init(samples: 5_000) }
}

extension BatchWriter {
    init() { self.init(limits: BatchLimits()) }
}
