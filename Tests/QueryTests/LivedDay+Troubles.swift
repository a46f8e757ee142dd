import Glibc
import Platform
import TestSupport
import Testing
import Wire

/// What goes wrong during the day, so that every panel and alert about failures has something to show.
extension LivedDay {
    /// What happens at a minute of the day.
    enum Trouble: Int, CaseIterable {
        case strangers = 10
        case unknownRoom = 30
        case archiveFails = 60
        case archiveThrottles = 70
        case archiveRefuses = 80
        case archiveHangs = 90
        case archiveMoves = 100
        case archiveLocks = 110
        case archiveUnlocks = 120
        case refusedRow = 140
        case archiveLeaves = 180
        case archiveReturns = 350
        case restart = 400
        case databaseReturns = 402
    }

    func troubles(at minute: Int) throws {
        guard let trouble = Trouble(rawValue: minute) else { return }
        switch trouble {
        case .strangers: try postLikeStrangers()
        case .unknownRoom: try visit("RM_unknown", "11111111-2222-4333-8444-555555555555", person: "77")
        case .archiveFails: archive.enqueue(Array(repeating: .init(500), count: 3))
        case .archiveThrottles: archive.enqueue(Array(repeating: .init(429), count: 3))
        case .archiveRefuses: archive.enqueue([.init(400, body: "bad sample")])
        case .archiveHangs: archive.enqueue([.hang])
        case .archiveMoves: archive.enqueue([.init(404)])
        case .archiveLocks: archive.answer(.init(401))
        case .archiveUnlocks:
            archive.answer(.init())
            reload()
        case .refusedRow:
            try visit("RM_trouble", OfficeDatabase.troubledRoom, person: "\(OfficeDatabase.refusedPerson)")
            let isRefused = eventually { sum("lkpush_rows_set_aside_total") == 1 }
            #expect(isRefused)
        case .archiveLeaves: archive.answer(.init(503))
        case .archiveReturns: archive.answer(.init())
        case .restart: try restartWithoutDatabase()
        case .databaseReturns: try returnDatabase()
        }
    }

    // MARK: Webhooks

    private func body(_ event: String, _ room: String, _ name: String, _ more: String = "") -> [UInt8] {
        let now = time.now().milliseconds / 1_000
        return Array(
            """
            {"event":"\(event)","room":{"sid":"\(room)","name":"\(name)","creationTime":"\(now)"},\(more)\
            "id":"EV_\(room)_\(event)","createdAt":"\(now)"}
            """.utf8)
    }

    /// Somebody comes into a room, and leaves it.
    private func visit(_ room: String, _ name: String, person: String) throws {
        let participant = #""participant":{"sid":"PA_\#(room)","identity":"\#(person)"},"#
        try poster.post(body("room_started", room, name))
        try waitUntilCounted()
        for event in ["participant_joined", "participant_left"] {
            try poster.post(body(event, room, name, participant))
            time.advance(to: time.now() + .seconds(5))
        }
        try poster.post(body("room_finished", room, name))
        try waitUntilCounted()
    }

    /// Requests that are no good webhooks, one for each reason that a stranger or a wrong setting can cause.
    private func postLikeStrangers() throws {
        let good = body("room_started", "RM_none", OfficeDatabase.troubledRoom)
        let now = time.now()
        let token = poster.token(for: good, at: now)
        for _ in 0..<3 { try poster.post(good, path: "/livekit") }
        let answers = [
            (405, good, token, "PUT"), (401, good, nil, "POST"), (401, good, "nonsense", "POST"),
            (401, good + [0x20], token, "POST"),
            (401, good, poster.token(for: good, at: now - .seconds(3_600)), "POST"),
            (401, good, poster.token(for: good, at: now + .seconds(3_600)), "POST"),
            (400, [0x7B], poster.token(for: [0x7B], at: now), "POST"),
        ]
        for (wanted, body, token, method) in answers {
            #expect(try poster.status(of: body, token: token, method: method) == wanted)
        }
    }

    // MARK: The database

    private var away: String { database.path + ".away" }

    /// The program starts while a folder is where the file of its database should be.
    private func restartWithoutDatabase() throws {
        try restartService {
            try #require(rename(database.path, away) == 0)
            try FileStore.makeDirectory(database.path)
        }
    }

    private func returnDatabase() throws {
        try #require(sum("lkpush_database_up") == 0)
        try #require(rmdir(database.path) == 0 && rename(away, database.path) == 0)
        let isBack = eventually { sum("lkpush_database_up") == 1 && sum("lkpush_database_rows_waiting") == 0 }
        #expect(isBack)
    }
}
