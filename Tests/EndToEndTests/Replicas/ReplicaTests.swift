import Platform
import TestSupport
import Testing

/// Tests of several replicas of the built program on one log. One runs at a time: each keeps a machine busy.
@Suite(.serialized, .enabled(if: HostName.isAllowed, "replicas need host names of their own: root, CAP_SYS_ADMIN"))
enum ReplicaTests {
    /// Long runs are asked for: `REPLICA_RUNS` is set.
    static let isThorough = ProcessEnvironment.current["REPLICA_RUNS"] != nil

    /// The time that a trouble lasts beyond the moment at which everything else has happened.
    static let pause: Duration = isThorough ? .seconds(30) : .zero
}
