package import Wire

extension ApplicationStore {
    /// Applies rows in order, in one transaction, exactly once for each `origin` and sequence.
    ///
    /// A row that the database refuses for its data becomes a dead letter and is counted. After an error either nothing
    /// was applied, or the answer to the commit was lost: hand over the same rows again, with the same origin. Nothing
    /// is applied if the outcome says that the state was copied.
    package func write(
        _ rows: [StoreRow], from origin: RowOrigin? = nil, at now: Timestamp
    ) throws(StoreError) -> WriteOutcome {
        do throws(StoreError) {
            return try apply(rows, from: origin, at: now)
        } catch {
            guard error.kind == .refused else { throw error }
            // The next attempt has a savepoint around each row, to find out which row was refused.
        }
        do throws(StoreError) {
            return try applySavingEach(rows, from: origin, at: now)
        } catch {
            guard error.kind == .refused else { throw error }
            // A constraint is checked at the commit: only a transaction for each row tells which row breaks it.
        }
        return try applySingly(rows, from: origin, at: now)
    }

    private func applySingly(
        _ rows: [StoreRow], from origin: RowOrigin?, at now: Timestamp
    ) throws(StoreError) -> WriteOutcome {
        var outcome = WriteOutcome()
        for (index, row) in rows.enumerated() {
            let place = origin.map { $0.place(of: index) }
            do throws(StoreError) {
                var one = try applySavingEach([row], from: place, at: now)
                one.refusals = one.refusals.map { RowRefusal(index: index, error: $0.error) }
                outcome.add(one)
                if one.copiedAfter != nil { return outcome }
            } catch {
                guard error.kind == .refused else { throw error }
                let late = try noteRefused(place, at: now)
                outcome.add(late)
                if late.copiedAfter != nil { return outcome }
                if late.repeated == 0 { outcome.add(.refused(error), at: index) }
            }
        }
        return outcome
    }

    /// Notes that nothing more is to be done about a row that was refused at the commit. Meanwhile another process may
    /// have gone beyond it: then the row was its business.
    private func noteRefused(_ place: RowOrigin?, at now: Timestamp) throws(StoreError) -> WriteOutcome {
        var outcome = WriteOutcome()
        guard let place else { return outcome }
        try database.transaction(.write) { () throws(StoreError) in
            let ledger = try ledger(of: place, count: 1, at: now, into: &outcome)
            if outcome.copiedAfter == nil && !ledger.marks.isEmpty { _ = try database.runAll(ledger.marks) }
        }
        return outcome
    }

    /// Applies all rows in one transaction, in as few round trips as the database allows.
    private func apply(
        _ rows: [StoreRow], from origin: RowOrigin?, at now: Timestamp
    ) throws(StoreError) -> WriteOutcome {
        var resolver = try OrganizationResolver(of: rows, in: self)
        return try database.transaction(.write) { () throws(StoreError) in
            var outcome = WriteOutcome()
            let ledger = try ledger(of: origin, count: rows.count, at: now, into: &outcome)
            if outcome.copiedAfter != nil { return outcome }
            var statements: [SQLStatement] = []
            for (index, row) in rows.enumerated() where !ledger.isApplied(index) {
                switch try statement(for: row, &resolver) {
                case .success(let statement):
                    statements.append(statement)
                    outcome.written += 1
                case .failure(let setback): outcome.add(setback, at: index)
                }
            }
            statements += ledger.marks
            if !statements.isEmpty { _ = try database.runAll(statements) }
            return outcome
        }
    }

    /// Applies all rows in one transaction with a savepoint around each, so that a refusal undoes only that row.
    private func applySavingEach(
        _ rows: [StoreRow], from origin: RowOrigin?, at now: Timestamp
    ) throws(StoreError) -> WriteOutcome {
        var resolver = try OrganizationResolver(of: rows, in: self)
        return try database.transaction(.write) { () throws(StoreError) in
            var outcome = WriteOutcome()
            let ledger = try ledger(of: origin, count: rows.count, at: now, into: &outcome)
            if outcome.copiedAfter != nil { return outcome }
            var statements: [SQLStatement] = []
            var places: [Int] = []
            for (index, row) in rows.enumerated() where !ledger.isApplied(index) {
                if !resolver.isSettled(row.owner) {
                    // The insert of its organization must be undone together with the row.
                    try outcome.add(database.runEach(statements), at: places)
                    statements.removeAll()
                    places.removeAll()
                    try outcome.add(applyAlone(row, at: index, &resolver))
                    continue
                }
                switch try statement(for: row, &resolver) {
                case .success(let statement):
                    statements.append(statement)
                    places.append(index)
                case .failure(let setback): outcome.add(setback, at: index)
                }
            }
            try outcome.add(database.runEach(statements), at: places)
            outcome.refusals.sort { $0.index < $1.index }
            if !ledger.marks.isEmpty { _ = try database.runAll(ledger.marks) }
            return outcome
        }
    }

    /// Applies one row, and inserts or renames its organization.
    private func applyAlone(
        _ row: StoreRow, at index: Int, _ resolver: inout OrganizationResolver
    ) throws(StoreError) -> WriteOutcome {
        let before = resolver
        var outcome = WriteOutcome()
        let refusal = try database.saved { () throws(StoreError) in
            switch try statement(for: row, &resolver) {
            case .success(let statement):
                _ = try database.run(statement.sql, statement.values)
                outcome.written += 1
            case .failure(let setback): outcome.add(setback, at: index)
            }
        }
        guard let refusal else { return outcome }
        resolver = before
        outcome = WriteOutcome()
        outcome.add(.refused(refusal), at: index)
        return outcome
    }

    // MARK: One row

    /// Returns the statement that writes the row. Inserts the row's organization if it is missing.
    private func statement(
        for row: StoreRow, _ resolver: inout OrganizationResolver
    ) throws(StoreError) -> Result<SQLStatement, RowError> {
        if case .absent(let participantSID) = row { return .success(removing(participantSID)) }
        if let fault = row.fault {
            return .failure(.refused(StoreError(.refused, operation: "write", text: fault)))
        }
        let key: OrganizationKey
        switch try resolver.key(of: row.owner) {
        case .success(let found): key = found
        case .failure(let reason): return .failure(.dropped(reason))
        }
        switch row {
        case .session(let session): return .success(adding(session, key))
        case .recording(let recording): return .success(replacing(recording, key))
        case .present(let presence): return .success(replacing(presence, key))
        case .absent(let participantSID): return .success(removing(participantSID))
        case .usage(let usage): return .success(adding(usage, key))
        }
    }

    private func adding(_ row: UsageRow, _ organization: OrganizationKey) -> SQLStatement {
        SQLStatement(
            """
            INSERT INTO lkpush_usage_daily (organization_id, usage_date, usage, seconds, count, billed_minutes)
            VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (organization_id, usage_date, usage) DO UPDATE SET
                seconds = ROUND(CAST(lkpush_usage_daily.seconds + excluded.seconds AS numeric), 3),
                count = lkpush_usage_daily.count + excluded.count,
                billed_minutes = lkpush_usage_daily.billed_minutes + excluded.billed_minutes
            """,
            [
                SQLValue(organization), .day(row.day), .text(row.usage), .double(Double(row.duration_ms) / 1_000),
                .integer(row.count), .integer(row.billed_minutes),
            ])
    }

    private func adding(_ row: SessionRow, _ organization: OrganizationKey) -> SQLStatement {
        SQLStatement(
            """
            INSERT INTO participant_activity_metrics
                (user_id, organization_id, activity_date, total_duration_seconds, session_count)
            VALUES ($1, $2, $3, $4, 1)
            ON CONFLICT (organization_id, user_id, activity_date) DO UPDATE SET
                total_duration_seconds =
                    participant_activity_metrics.total_duration_seconds + excluded.total_duration_seconds,
                session_count = participant_activity_metrics.session_count + excluded.session_count
            """, [.integer(row.userID), SQLValue(organization), .day(row.day), .double(row.duration_seconds)])
    }

    private func replacing(_ row: RecordingRow, _ organization: OrganizationKey) -> SQLStatement {
        SQLStatement(
            """
            INSERT INTO recordings (egress_id, room_id, organization_id, request_type, status, started_at, ended_at,
                duration_seconds, size_bytes, location, error, expires_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
            ON CONFLICT (egress_id) DO UPDATE SET room_id = excluded.room_id,
                organization_id = excluded.organization_id, request_type = excluded.request_type,
                status = excluded.status, started_at = excluded.started_at, ended_at = excluded.ended_at,
                duration_seconds = excluded.duration_seconds, size_bytes = excluded.size_bytes,
                location = excluded.location, error = excluded.error, expires_at = excluded.expires_at
            """,
            [
                .text(row.egressID), row.roomName.isEmpty ? .null : .text(row.roomName), SQLValue(organization),
                .text(row.requestType), .text(row.status), row.startedAt.map { .time($0) } ?? .null,
                .time(row.endedAt), row.duration_seconds.map { .double($0) } ?? .null, .integer(row.size_bytes),
                .text(row.location), .text(row.error), .time(row.expiresAt),
            ])
    }

    private func replacing(_ row: PresenceRow, _ organization: OrganizationKey) -> SQLStatement {
        SQLStatement(
            """
            INSERT INTO room_presence
                (participant_sid, room_sid, room_id, organization_id, user_id, identity, joined_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            ON CONFLICT (participant_sid) DO UPDATE SET room_sid = excluded.room_sid, room_id = excluded.room_id,
                organization_id = excluded.organization_id, user_id = excluded.user_id,
                identity = excluded.identity, joined_at = excluded.joined_at
            """,
            [
                .text(row.participantSID), .text(row.roomSID), row.roomName.isEmpty ? .null : .text(row.roomName),
                SQLValue(organization), .integer(row.userID), .text(row.identity), .time(row.joinedAt),
            ])
    }

    private func removing(_ participantSID: String) -> SQLStatement {
        SQLStatement("DELETE FROM room_presence WHERE participant_sid = $1", [.text(participantSID)])
    }
}
