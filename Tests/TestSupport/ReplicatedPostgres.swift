/// A real PostgreSQL and a standby that follows it, each a `PostgresServer`, as an operator of a replicated database
/// has them. Clients reach whichever of the two takes commits: `url` names both.
///
/// With `.synchronous` a commit is answered when the standby has it too, unless the client asks for less. The processes
/// of a server may be killed at any moment, and nothing that was answered is lost: the machine itself goes on, so
/// nothing is flushed to its disk unless `isSynced` is set.
package final class ReplicatedPostgres: Sendable {
    /// The time at which a commit is answered.
    package enum Replication: Sendable {
        /// After the standby has it.
        case synchronous
        /// After the primary has it. The standby receives it soon after.
        case asynchronous
    }

    /// The server that takes commits at the beginning.
    package let primary: PostgresServer
    /// The server that follows it, until it is promoted.
    package let standby: PostgresServer

    private static let name = "standby"
    private let replication: Replication

    /// Starts both servers, and waits until the standby follows.
    package init(_ replication: Replication = .synchronous, isSynced: Bool = false) throws {
        self.replication = replication
        // Segments of the log are kept for a standby that was away.
        let settings = ["synchronous_commit": "on", "wal_keep_size": "512MB"]
        primary = try PostgresServer(settings: settings, isSynced: isSynced)
        standby = try PostgresServer(
            following: primary, as: Self.name, settings: settings.merging(["hot_standby": "on"]) { $1 },
            isSynced: isSynced)
        // Only now: the first commits would wait for a standby that is not there yet.
        if replication == .synchronous { try primary.set("synchronous_standby_names", Self.name) }
        try waitUntilFollowed()
    }

    // MARK: Databases

    /// Makes a database on both servers that belongs to `PostgresServer.role`. Returns its name.
    package func newDatabase() throws -> String { try primary.newDatabase() }

    /// The URL of a database on whichever server takes commits. `ports` may be those of proxies before the two.
    package func url(database: String, ports: (primary: UInt16, standby: UInt16)? = nil) -> String {
        let (first, second) = ports ?? (primary.port, standby.port)
        return "postgresql://\(PostgresServer.role)@127.0.0.1:\(first),127.0.0.1:\(second)/\(database)"
            + "?target_session_attrs=read-write"
    }

    // MARK: Trouble

    /// Kills all processes of the primary with SIGKILL.
    package func killPrimary() throws { try primary.kill() }

    /// Makes the standby the server that takes commits. It then waits for no other one.
    package func promoteStandby() throws { try standby.promote() }

    /// Stops both servers at once: connections are cut, and committed transactions stay.
    package func stopBoth() throws {
        try primary.stop()
        try standby.stop()
    }

    /// Starts both servers again, and waits until the standby follows.
    package func startBoth() throws {
        try primary.start()
        try standby.start()
        try waitUntilFollowed()
    }

    /// Lets the standby receive nothing any more. A synchronous commit then waits.
    package func cutStandby() throws { try standby.stopFollowing() }

    /// Lets the standby receive again, and waits until it does.
    package func joinStandby() throws {
        try standby.follow(primary, as: Self.name)
        try waitUntilFollowed()
    }

    /// Promotes the standby without what the primary has committed last.
    ///
    /// - Parameter commits: makes the commits that are lost with the primary. They are answered only if replication is
    ///   asynchronous.
    package func loseTail(_ commits: () throws -> Void) throws {
        try cutStandby()
        try commits()
        try killPrimary()
        try promoteStandby()
    }

    private func waitUntilFollowed() throws {
        let wanted = replication == .synchronous ? "streaming sync" : "streaming async"
        let isFollowed = try eventually {
            try primary.query("SELECT state || ' ' || sync_state FROM pg_stat_replication") == wanted
        }
        if !isFollowed {
            throw PostgresServer.PostgresError(description: "the standby does not follow: \(standby.log.suffix(1_000))")
        }
    }
}
