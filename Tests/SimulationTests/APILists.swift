import Foundation
import Simulation
import Wire

/// Lists of the server API, read without the decoder under test.
enum APILists {
    struct Room: Decodable {
        let sid: String
        let name: String
        let num_participants: Int
    }

    struct Participant: Decodable {
        struct Track: Decodable { let sid: String }

        let sid: String
        let identity: String
        let kind: String
        let tracks: [Track]
    }

    struct Job: Decodable {
        let egress_id: String
        let status: String
    }

    struct Stream: Decodable {
        struct State: Decodable {
            let status: String
            let resource_id: String
        }

        let state: State
    }

    struct Token: Decodable { let token: String }

    struct Rooms: Decodable {
        let rooms: [Room]
        let next_page_token: Token?
    }

    struct Participants: Decodable { let participants: [Participant] }

    struct Items<Item: Decodable>: Decodable {
        let items: [Item]
        let next_page_token: Token?
    }
}

/// An office that is lived through, with the API beside it and the truth of the world.
struct WatchedOffice {
    var api: OfficeAPI
    var truth = Truth()
    private(set) var now = Office.epoch
    private var office: Office

    static let size = OfficeSize(organizations: 2, rooms: 4, users: 16, length: .seconds(2 * 3_600))

    init(lies: Set<APILie> = [], seed: UInt64 = 7) {
        office = Office(size: Self.size, seed: seed)
        api = OfficeAPI(timeline: Timeline(startedAt: Office.epoch, speed: 1), lies: lies, seed: seed)
    }

    /// Lives until after the next occurrence; nil when the day is over.
    mutating func step() -> Occurrence? {
        guard let occurrence = office.nextOccurrence() else { return nil }
        now = occurrence.at
        api.take(occurrence)
        switch occurrence {
        case .webhook(let webhook): truth.count(webhook, shift: TimeShift(seconds: 0))
        case .crash(let crash): truth.count(crash)
        }
        return occurrence
    }

    /// Lives until so many occurrences have happened.
    mutating func live(through count: Int) {
        for _ in 0..<count where step() == nil { return }
    }

    mutating func answer<List: Decodable>(_ call: String, _ body: String = "{}", as type: List.Type) throws -> List {
        let answer = api.answer("/twirp/livekit." + call, body: Array(body.utf8), at: now)
        return try JSONDecoder().decode(type, from: Data(answer.body))
    }

    mutating func rooms(_ body: String = "{}") throws -> [APILists.Room] {
        try answer("RoomService/ListRooms", body, as: APILists.Rooms.self).rooms
    }

    mutating func participants(of room: String) throws -> [APILists.Participant] {
        try answer("RoomService/ListParticipants", #"{"room":"\#(room)"}"#, as: APILists.Participants.self).participants
    }

    mutating func jobs(_ body: String = #"{"active":true}"#) throws -> [APILists.Job] {
        try answer("Egress/ListEgress", body, as: APILists.Items<APILists.Job>.self).items
    }

    mutating func streams() throws -> [APILists.Stream] {
        try answer("Ingress/ListIngress", as: APILists.Items<APILists.Stream>.self).items
    }
}

extension Truth {
    private func all<Value: Hashable>(_ values: (Account) -> some Sequence<Value>) -> Set<Value> {
        Set(accounts.values.flatMap { Array(values($0)) })
    }

    var allRooms: Set<String> { all(\.openRooms) }
    var allPresent: Set<String> { all(\.present) }
    var allTracks: Set<String> { all(\.openTracks.keys) }
    var allRecordings: Set<String> { all(\.openRecordings.keys) }
    var allStreams: Set<String> { all(\.openStreams.keys) }
}
