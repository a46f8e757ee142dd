import Shipper
import Status
import Synchronization

/// The addresses, routes and destinations, which exist only when the parts have started. Any thread may use it.
final class RunningParts: Sendable {
    private struct State {
        var publicAddress = ""
        var hasState = false
        var destinations: Destinations?
        var reconciliation: (@Sendable () -> ReconciliationStatus)?
        var routes: [RouteStatus] = []
    }

    private let state = Mutex(State())
    /// The label `instance`.
    let instance: String
    /// The address of the database, without its secrets.
    let database: String

    init(instance: String, database: String) {
        self.instance = instance
        self.database = database
    }

    var publicAddress: String {
        get { state.withLock { $0.publicAddress } }
        set { state.withLock { $0.publicAddress = newValue } }
    }

    /// True when the state is restored.
    var hasState: Bool {
        get { state.withLock { $0.hasState } }
        set { state.withLock { $0.hasState = newValue } }
    }

    /// Nil before pushing has started, and where nothing is pushed.
    var destinations: Destinations? {
        get { state.withLock { $0.destinations } }
        set { state.withLock { $0.destinations = newValue } }
    }

    /// Tells the comparison with LiveKit's API. Nil before the polls have started, and where nothing is polled.
    var reconciliation: (@Sendable () -> ReconciliationStatus)? {
        get { state.withLock { $0.reconciliation } }
        set { state.withLock { $0.reconciliation = newValue } }
    }

    /// The routes of the private listener.
    var routes: [RouteStatus] {
        get { state.withLock { $0.routes } }
        set { state.withLock { $0.routes = newValue } }
    }
}
