import Postgres
import Storage

/// The settings of a database that decide what a commit is worth.
package struct SynchronousFacts: Sendable, Equatable {
    /// The standbys that a commit waits for; empty where it waits for none.
    package var standbyNames = ""
    /// The default of the role and the database. The journal sets its own.
    package var synchronousCommit = ""
    /// The server has its disk write what is committed.
    package var isSynced = false
    /// The number of standbys that are connected and synchronous. A role without the right to see them sees none.
    package var synchronousStandbys = 0
    /// The version of the server, such as 150004.
    package var serverVersion = 0
    /// The server is a standby itself.
    package var isInRecovery = false

    /// Commits of the journal wait until a standby has them.
    package var waitsForStandby: Bool { !standbyNames.isEmpty && isSynced }

    package init() {}

    init(over connection: PostgresConnection) throws(StoreError) {
        let call = PostgresCall(
            """
            SELECT current_setting('synchronous_standby_names'), current_setting('synchronous_commit'),
                current_setting('fsync') = 'on', pg_is_in_recovery(),
                (SELECT count(*) FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum'))
            """, binary: [])
        let row = try connection.rows("look at the settings", groups: [[call]])[0].get().first?.first ?? []
        guard row.count == 5 else { throw StoreError(.other, operation: "look at the settings", text: "no answer") }
        standbyNames = row[0].asText ?? ""
        synchronousCommit = row[1].asText ?? ""
        isSynced = row[2].asFlag ?? false
        isInRecovery = row[3].asFlag ?? false
        synchronousStandbys = Int(row[4].asInteger ?? 0)
        serverVersion = connection.serverVersion
    }
}
