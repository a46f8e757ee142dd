import Storage
import TestSupport
import Testing
import Wire

@Suite struct MessageTests {
    static let organizations = [
        Organization(id: "acme", name: "Acmé", key: .text(""), recordingLimit_minutes: 0),
        Organization(id: "beta", name: "Beta", key: .integer(.min), recordingLimit_minutes: 1.5),
        Organization(id: "", name: ""),
    ]
    static let owners: [RowOwner] = [
        .key(.integer(0)), .key(.integer(.max)), .key(.text("")), .key(.text("a-uuid")),
        .organization(id: "", name: ""), .organization(id: "acme", name: "Acme"), .room(name: ""),
        .room(name: "office"),
    ]
    static let time = Timestamp(milliseconds: 1_790_553_600_123)

    static func session(_ owner: RowOwner) -> SessionRow {
        SessionRow(owner: owner, userID: .min, day: CivilDate(daysSinceEpoch: -3), duration_seconds: 0.1)
    }
    static func recording(_ owner: RowOwner) -> RecordingRow {
        RecordingRow(
            owner: owner, egressID: "EG", roomName: "office", requestType: "web", status: "failed",
            startedAt: time, endedAt: time + .seconds(1), duration_seconds: 2.5, size_bytes: 6, location: "s3://",
            error: "no", expiresAt: time + .seconds(2))
    }
    static func presence(_ owner: RowOwner) -> PresenceRow {
        PresenceRow(
            owner: owner, participantSID: "PA", roomSID: "RM", roomName: "office", userID: -7, identity: "é",
            joinedAt: time)
    }
    static func usage(_ owner: RowOwner) -> UsageRow {
        UsageRow(
            owner: owner, day: CivilDate(daysSinceEpoch: -3), usage: "connection:standard", duration_ms: -1, count: 2,
            billed_minutes: .max)
    }
    static let none = Timestamp(milliseconds: 0)
    static let emptyRecording = RecordingRow(
        owner: .key(.integer(0)), egressID: "", roomName: "", requestType: "", status: "", startedAt: nil,
        endedAt: none, duration_seconds: nil, size_bytes: 0, location: "", error: "", expiresAt: none)
    static let open = OpenPresence(
        participantSID: "PA", roomSID: "RM", roomName: "office", organization: organizations[1], userID: 5,
        identity: "i", joinedAt: time)

    static let rows: [StoreRow] =
        owners.flatMap {
            [.session(session($0)), .recording(recording($0)), .present(presence($0)), .usage(usage($0))]
        }
        + [.recording(emptyRecording), .absent(participantSID: ""), .absent(participantSID: "PA")]

    static let reports: [Report] =
        Report.Window.allCases.flatMap { window -> [Report] in
            [
                .activity(
                    window,
                    ["b": .init(uniqueUsers: 3, online_seconds: 0.5), "a": .init(uniqueUsers: 0, online_seconds: 0)]),
                .recordings(window, ["": .init(completed: 4, duration_seconds: 1e9)]), .activity(window, [:]),
            ]
        } + [
            .presence(["a": 1, "b": 0]), .presence([:]), .licenses(organizations), .licenses([]), .recent(["a", "b"]),
            .recent([]), .usageTable(isUsable: true), .usageTable(isUsable: false),
        ]

    @Test func `the samples have something in every field`() {
        let owner = RowOwner.room(name: "office")
        let plain = RowOwner.key(.integer(0))
        #expect(unfilled(Self.organizations[0], Self.organizations[2]) == [])
        #expect(
            unfilled(
                Self.session(owner),
                SessionRow(owner: plain, userID: 0, day: CivilDate(daysSinceEpoch: 0), duration_seconds: 0)) == [])
        #expect(unfilled(Self.recording(owner), Self.emptyRecording) == [])
        #expect(
            unfilled(
                Self.presence(owner),
                PresenceRow(
                    owner: plain, participantSID: "", roomSID: "", roomName: "", userID: 0, identity: "",
                    joinedAt: Self.none)) == [])
        #expect(
            unfilled(
                Self.open,
                OpenPresence(
                    participantSID: "", roomSID: "", roomName: "", organization: Self.organizations[2], userID: 0,
                    identity: "", joinedAt: Self.none)) == [])
        #expect(
            unfilled(
                Self.usage(owner),
                UsageRow(owner: plain, day: CivilDate(daysSinceEpoch: 0), usage: "", duration_ms: 0)) == [])
        // A new kind of row or report has to be added to the samples here: these stop the build.
        for row in Self.rows {
            switch row {
            case .session, .recording, .present, .absent, .usage: break
            }
        }
        for report in Self.reports {
            switch report {
            case .activity, .recordings, .presence, .licenses, .recent, .usageTable: break
            }
        }
    }

    @Test func `organizations, rows, reports and presence are read as they were written`() throws {
        for organization in Self.organizations {
            #expect(try again(organization.encode, Organization.init(from:)) == organization)
        }
        for owner in Self.owners { #expect(try again(owner.encode, RowOwner.init(from:)) == owner) }
        for row in Self.rows { #expect(try again(row.encode, StoreRow.init(from:)) == row) }
        for report in Self.reports { #expect(try again(report.encode, Report.init(from:)) == report) }
        #expect(try again(Self.open.encode, OpenPresence.init(from:)) == Self.open)
    }

    @Test func `reasons have numbers that never change`() {
        #expect(LookupError.inStoredOrder == LookupError.allCases)
        #expect(
            LookupError.inStoredOrder.map(\.rawValue)
                == ["not_configured", "room_not_found", "no_organization", "no_org_id", "lookup_error"])
    }

    @Test func `a row without kind or owner, and a report without window, are refused`() {
        #expect(throws: MessageFault.self) { try again({ _ in }, StoreRow.init(from:)) }
        #expect(throws: MessageFault.self) { try again({ _ in }, RowOwner.init(from:)) }
        #expect(throws: MessageFault.self) { try again({ _ in }, Report.init(from:)) }
        #expect(throws: MessageFault.self) { try again({ $0.message(1) { $0.field(2, 7) } }, StoreRow.init(from:)) }
    }

    private func again<Value>(
        _ encode: (inout MessageWriter) -> Void, _ decode: (inout MessageReader) throws(MessageFault) -> Value
    ) throws -> Value {
        var writer = MessageWriter()
        encode(&writer)
        // Unknown fields are for newer versions.
        writer.message(900) { $0.field(1, 1) }
        var reader = MessageReader(writer.bytes)
        return try decode(&reader)
    }
}
