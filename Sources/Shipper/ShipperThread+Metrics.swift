package import Metrics

extension ShipperThread {
    /// Declares the metrics of a shipper that does not run, for a list of all names.
    package static func declareMetrics(in registry: Registry) {
        _ = ShipperMetrics(in: registry, remoteName: "", url: "")
    }
}
