import LiveKit
import Simulation
import Testing
import Wire

/// The lies of the office's server API, one by one.
@Suite struct APILieTests {
    /// Lives through a day, and calls `look` after every so many occurrences.
    private func live(_ lie: APILie, every: Int = 83, _ look: (inout WatchedOffice) throws -> Void) throws {
        var office = WatchedOffice(lies: [lie])
        var steps = 0
        while office.step() != nil {
            steps += 1
            if steps.isMultiple(of: every) { try look(&office) }
        }
    }

    @Test func `rooms that ended and people who vanished stay as ghosts`() throws {
        var office = WatchedOffice(lies: [.ghostRooms])
        var crashes = 0
        while let occurrence = office.step() {
            guard case .crash(let crash) = occurrence else { continue }
            crashes += 1
            let room = try office.rooms(#"{"names":["\#(crash.room)"]}"#).first
            #expect((room?.num_participants ?? 0) > 0)
            let shown = Set(try office.participants(of: crash.room).map(\.sid))
            #expect(shown.isSuperset(of: crash.participants))
        }
        #expect(crashes > 0 && office.truth.allRooms.isEmpty)
        let ghosts = try office.rooms()
        #expect(ghosts.count > 3)
        #expect(ghosts.contains { $0.num_participants > 0 })
        #expect(Set(ghosts.map(\.name)).count == ghosts.count)
    }

    @Test func `lists are empty at times, and otherwise whole`() throws {
        var (empty, whole) = (0, 0)
        try live(.emptyList, every: 21) { office in
            guard !office.truth.allRooms.isEmpty else { return }
            let rooms = Set(try office.rooms().map(\.sid))
            if rooms.isEmpty { empty += 1 } else { whole += 1 }
            #expect(rooms.isEmpty || rooms == office.truth.allRooms)
            // A question for one job is answered all the same.
            if let job = office.truth.allRecordings.first {
                #expect(try office.jobs(#"{"egress_id":"\#(job)"}"#).map(\.egress_id) == [job])
            }
        }
        #expect(empty > 3 && whole > empty)
    }

    @Test func `a count stays while the list of participants is true`() throws {
        var (stale, right) = (0, 0)
        try live(.staleCount) { office in
            var present: Set<String> = []
            for room in try office.rooms() {
                let participants = try office.participants(of: room.name)
                let count = participants.count { !["AGENT", "EGRESS"].contains($0.kind) }
                if count == room.num_participants { right += 1 } else { stale += 1 }
                present.formUnion(participants.filter { $0.kind == "STANDARD" }.map(\.sid))
            }
            #expect(present == office.truth.allPresent)
        }
        #expect(stale > 10 && right > 10)
    }

    @Test func `who rejoined is missing among the participants, but is counted`() throws {
        var missing = 0
        try live(.missingRejoined) { office in
            var present: Set<String> = []
            for room in try office.rooms() {
                let participants = try office.participants(of: room.name)
                let shown = participants.count { !["AGENT", "EGRESS"].contains($0.kind) }
                #expect(shown <= room.num_participants)
                present.formUnion(participants.filter { $0.kind == "STANDARD" }.map(\.sid))
            }
            #expect(present.isSubset(of: office.truth.allPresent))
            missing += office.truth.allPresent.subtracting(present).count
        }
        #expect(missing > 10)
    }

    @Test func `some jobs that ended stay active`() throws {
        var office = WatchedOffice(lies: [.orphanedEgress])
        while office.step() != nil {}
        #expect(office.truth.allRecordings.isEmpty)
        let active = try office.jobs()
        let all = try office.jobs("{}")
        #expect(!active.isEmpty && active.count < all.count)
        #expect(active.allSatisfy { $0.status == "EGRESS_ACTIVE" })
    }

    @Test func `a tenth of the reads show an earlier state`() throws {
        var office = WatchedOffice(lies: [.staleReads])
        var (stale, reads) = (0, 0)
        while let occurrence = office.step() {
            guard case .webhook(let webhook) = occurrence, webhook.event == .roomStarted else { continue }
            for _ in 0..<10 {
                reads += 1
                if Set(try office.rooms().map(\.sid)) != office.truth.allRooms { stale += 1 }
            }
        }
        #expect(reads > 100)
        #expect(stale * 50 > reads && stale * 5 < reads, "\(stale) of \(reads)")
    }

    @Test func `a list ends early, and its next page is empty or names itself`() throws {
        var found: Set<String> = []
        try live(.cutList, every: 21) { office in
            let rooms = try office.answer("RoomService/ListRooms", as: APILists.Rooms.self)
            #expect(rooms.rooms.count == office.truth.allRooms.count || rooms.next_page_token?.token == "endless")
            let list = try office.answer("Egress/ListEgress", as: APILists.Items<APILists.Job>.self)
            guard let token = list.next_page_token?.token else { return }
            let all = APILists.Items<APILists.Job>.self
            let next = try office.answer("Egress/ListEgress", #"{"page_token":{"token":"\#(token)"}}"#, as: all)
            #expect(next.items.isEmpty)
            #expect(next.next_page_token?.token == (token == "endless" ? token : nil))
            found.insert(token)
        }
        #expect(found == ["endless", "last"])
    }

    @Test func `the same seed and calls give the same lies`() throws {
        func answers() -> [APIAnswer] {
            var office = WatchedOffice(lies: Set(APILie.allCases))
            var answers: [APIAnswer] = []
            for _ in 0..<20 {
                office.live(through: 40)
                answers.append(office.api.answer("/twirp/livekit.RoomService/ListRooms", body: [], at: office.now))
            }
            return answers
        }
        #expect(answers() == answers())
    }
}
