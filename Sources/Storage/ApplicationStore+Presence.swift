import Wire

extension ApplicationStore {
    /// Returns who was connected when the table was last written, the latest joiners first: at most
    /// `Limits.openPresence`.
    ///
    /// Rows whose organization has no public id, or whose time cannot be read, are left out.
    package func openPresence() throws(StoreError) -> [OpenPresence] {
        let answer = try database.rows(
            """
            SELECT presence.participant_sid, presence.room_sid, presence.room_id, presence.user_id, presence.identity,
                presence.joined_at, organizations.workos_org_id, organizations.name, organizations.id
            FROM room_presence AS presence
            JOIN organizations ON organizations.id = presence.organization_id
            WHERE organizations.workos_org_id <> '' AND presence.room_sid <> ''
            ORDER BY presence.joined_at DESC, presence.participant_sid
            LIMIT $1
            """, [.integer(Int64(Limits.openPresence))])
        return answer.rows.compactMap { row in
            guard let sid = row[0].asText, let roomSID = row[1].asText, let userID = row[3].asInteger,
                let joinedAt = row[5].asTimestamp, let organization = row[6].asText
            else { return nil }
            return OpenPresence(
                participantSID: sid, roomSID: roomSID, roomName: row[2].asText ?? "",
                organization: Organization(id: organization, name: row[7].asText ?? "", key: row[8].asKey),
                userID: userID, identity: row[4].asText ?? "", joinedAt: joinedAt)
        }
    }
}
