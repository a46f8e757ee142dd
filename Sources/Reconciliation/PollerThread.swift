package import Metrics

/// The thread `poller`: it asks LiveKit's server API for its rooms and jobs, and leaves the differences to the recorder.
package final class PollerThread: Sendable {
    /// Declares the metrics of a poller that does not run, for a list of all names.
    package static func declareMetrics(in registry: Registry) { _ = PollMetrics(in: registry) }
}
