import LiveKit
import Pipeline
import Shipper
import Status
import Synchronization

/// The addresses, routes and destinations, which exist only when the parts have started. Any thread may use it.
final class RunningParts: Sendable {
    private struct State {
        var publicAddress = ""
        var hasState = false
        var tenurePlan: TenurePlan?
        var tenure: Tenure?
        var ownDestinations: Destinations?
        var lease: LeaseThread?
        var signer: TokenSigner?
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

    /// The doors of the parts that count. Nil in a replica that does not lead.
    var tenurePlan: TenurePlan? {
        get { state.withLock { $0.tenurePlan } }
        set { state.withLock { $0.tenurePlan = newValue } }
    }

    /// The parts that count, when they are made. Nil in a replica that does not lead.
    var tenure: Tenure? {
        get { state.withLock { $0.tenure } }
        set { state.withLock { $0.tenure = newValue } }
    }

    /// The destinations of a replica's own metrics. Nil before pushing has started, where nothing is pushed, and in a
    /// process with a journal of its own.
    var ownDestinations: Destinations? {
        get { state.withLock { $0.ownDestinations } }
        set { state.withLock { $0.ownDestinations = newValue } }
    }

    /// The lease of the shared log. Nil in a process with a journal of its own.
    var lease: LeaseThread? {
        get { state.withLock { $0.lease } }
        set { state.withLock { $0.lease = newValue } }
    }

    /// The newest key for calls of LiveKit's API. Nil while it is the first one.
    var signer: TokenSigner? {
        get { state.withLock { $0.signer } }
        set { state.withLock { $0.signer = newValue } }
    }

    /// The routes of the private listener.
    var routes: [RouteStatus] {
        get { state.withLock { $0.routes } }
        set { state.withLock { $0.routes = newValue } }
    }
}
