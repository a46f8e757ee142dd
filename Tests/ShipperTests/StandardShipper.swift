import HTTPClient
import Platform
import RemoteWrite
import Shipper

extension ShipperSettings {
    /// The settings of a test that is about something else.
    init(url: EndpointURL, labels: CommonLabels, userAgent: String) {
        self.init(
            url: url, labels: labels, userAgent: userAgent,
            schedule: SeriesTable.Schedule(pushInterval: .seconds(15), idleInterval: .seconds(15)),
            batches: BatchLimits(samples: 5_000),
            delivery: DeliverySettings(
                queue: .mebibytes(32), minBackoff: .milliseconds(500), maxBackoff: .seconds(30),
                retriesOnTooManyRequests: true, message: .v1, maxShards: 1),
            timeout: .seconds(30), staleOnStop: true)
    }
}
