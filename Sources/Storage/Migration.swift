/// One step of the schema, which is applied once. It creates only what is missing.
struct Migration: Sendable {
    /// A unique key: at most one row of `table` for each value of `columns`. It is created unless the table guarantees
    /// it already.
    struct Key: Sendable {
        let table: String
        let columns: [String]
        var indexName: String { "lkpush_\(table)_key" }
    }

    /// The number and name of the migration. It is written to `lkpush_migrations`, so it never changes.
    let name: String
    let sql: [UInt8]
    /// The table or indexes that the migration creates. If all of them exist it has nothing to do, and needs no right
    /// to do it.
    let makes: [String]
    var key: Key?
    /// The table that it adds an index to. Nil where it makes the table.
    var addsTo: String?
    /// The program works without it, only with less. So it may be skipped if the role has no right to create it.
    var isOptional = false

    /// The table that the migration makes or adds to.
    var table: String { addsTo ?? makes[0] }

    /// All migrations, in order.
    static let all: [Migration] = [
        Migration(
            name: "000001_organizations", sql: PackageResources._00001_organizations_sql,
            makes: ["organizations"]),
        Migration(
            name: "000002_rooms", sql: PackageResources._00002_rooms_sql,
            makes: ["rooms"]),
        Migration(
            name: "000003_org_licenses", sql: PackageResources._00003_org_licenses_sql,
            makes: ["org_licenses"]),
        Migration(
            name: "000004_recordings", sql: PackageResources._00004_recordings_sql,
            makes: ["recordings"],
            key: Key(table: "recordings", columns: ["egress_id"])),
        Migration(
            name: "000005_room_presence", sql: PackageResources._00005_room_presence_sql,
            makes: ["room_presence"],
            key: Key(table: "room_presence", columns: ["participant_sid"])),
        Migration(
            name: "000010_participant_activity_metrics",
            sql: PackageResources._00010_participant_activity_metrics_sql,
            makes: ["participant_activity_metrics", "idx_participant_activity_metrics_activity_date"],
            key: Key(
                table: "participant_activity_metrics", columns: ["organization_id", "user_id", "activity_date"])),
        Migration(
            name: "000020_recordings_completed_index", sql: PackageResources._00020_recordings_completed_index_sql,
            makes: ["idx_recordings_completed_ended_at"], addsTo: "recordings"),
        Migration(
            name: "000030_lkpush_outbox", sql: PackageResources._00030_lkpush_outbox_sql,
            makes: ["lkpush_outbox"]),
        Migration(
            name: "000031_lkpush_outbox_positions", sql: PackageResources._00031_lkpush_outbox_positions_sql,
            makes: [AppliedMark.table], isOptional: true),
        Migration(
            name: "000040_lkpush_usage_daily", sql: PackageResources._00040_lkpush_usage_daily_sql,
            makes: [UsageRow.table],
            key: Key(table: UsageRow.table, columns: UsageRow.key), isOptional: true),
    ]

    /// Returns the SQL with the types of this database filled in.
    func text(dialect: SQLDialect, organizationID: String, roomID: String) -> String {
        let words = [
            "generated_key": dialect.generatedKey, "timestamp": dialect.timestamp, "organization_id": organizationID,
            "room_id": roomID,
        ]
        var text = ""
        var rest = String(decoding: sql, as: UTF8.self)[...]
        while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
            text += rest[..<open]
            let word = String(rest[rest.index(after: open)..<close])
            guard let value = words[word] else { preconditionFailure("a migration uses an unknown word: \(word)") }
            text += value
            rest = rest[rest.index(after: close)...]
        }
        return text + rest
    }
}
