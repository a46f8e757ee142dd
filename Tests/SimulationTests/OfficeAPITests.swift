import LiveKit
import Simulation
import Testing
import Wire

/// The answers of the office's server API, without a socket.
@Suite struct OfficeAPITests {
    @Test func `at every moment the lists are the truth, from the moment of a crash too`() throws {
        var office = WatchedOffice()
        var (steps, crashes) = (0, 0)
        while let occurrence = office.step() {
            steps += 1
            if case .crash(let crash) = occurrence {
                crashes += 1
                #expect(!crash.participants.isEmpty)
                #expect(try office.rooms(#"{"names":["\#(crash.room)"]}"#).map(\.num_participants) == [0])
            } else if !steps.isMultiple(of: 83) {
                continue
            }
            let rooms = try office.rooms()
            #expect(Set(rooms.map(\.sid)) == office.truth.allRooms)
            var (present, tracks): (Set<String>, Set<String>) = ([], [])
            for room in rooms {
                let participants = try office.participants(of: room.name)
                #expect(participants.count { !["AGENT", "EGRESS"].contains($0.kind) } == room.num_participants)
                present.formUnion(participants.filter { $0.kind == "STANDARD" }.map(\.sid))
                tracks.formUnion(participants.flatMap { $0.tracks.map(\.sid) })
            }
            #expect(present == office.truth.allPresent)
            #expect(tracks == office.truth.allTracks)
            #expect(Set(try office.jobs().map(\.egress_id)) == office.truth.allRecordings)
            let streams = try office.streams().filter { $0.state.status == "ENDPOINT_PUBLISHING" }
            #expect(Set(streams.map(\.state.resource_id)) == office.truth.allStreams)
        }
        #expect(crashes > 0 && steps > 1_000)
    }

    @Test func `a job is listed with exactly what its last webhook said, also after its end`() throws {
        let timeline = Timeline(startedAt: Timestamp(seconds: 1_800_000_000), speed: 60)
        var office = Office(size: WatchedOffice.size, seed: 7)
        var api = OfficeAPI(timeline: timeline)
        var ended = 0
        while let occurrence = office.nextOccurrence() {
            api.take(occurrence)
            guard case .webhook(let webhook) = occurrence, webhook.event == .egressEnded, webhook.novelty == .first
            else { continue }
            let told = try EventDecoder().decode(webhook.message.body(shift: timeline.shift(at: webhook.at)).span)
            guard case .egressEnded(let egress) = told.body, !egress.id.isEmpty else { continue }
            let answer = api.answer(
                "/twirp/livekit.Egress/ListEgress", body: Array(#"{"egress_id":"\#(egress.id)"}"#.utf8),
                at: timeline.moment(webhook.at))
            let text = String(decoding: answer.body, as: UTF8.self)
            let item = text.dropFirst(#"{"items":["#.count).prefix { _ in true }
                .replacing(#"],"next_page_token":null}"#, with: "")
            let event = try EventDecoder().decode(Array(#"{"event":"egress_ended","egressInfo":\#(item)}"#.utf8).span)
            #expect(event.body == told.body, "\(text)")
            ended += 1
        }
        #expect(ended > 5)
    }

    @Test func `answers are in snake_case with zero values, and 64-bit numbers are texts`() throws {
        var office = WatchedOffice()
        office.live(through: 400)
        let room = try #require(try office.rooms().first { $0.num_participants > 0 })
        func text(_ call: String, _ body: String) -> String {
            let answer = office.api.answer("/twirp/livekit." + call, body: Array(body.utf8), at: office.now)
            #expect(answer.status == 200)
            return String(decoding: answer.body, as: UTF8.self)
        }
        let rooms = text("RoomService/ListRooms", "{}")
        for part in [#""empty_timeout":300"#, #""max_participants":0"#, #""creation_time":"1"#, #""version":null"#] {
            #expect(rooms.contains(part), "\(part): \(rooms)")
        }
        let participants = text("RoomService/ListParticipants", #"{"room":"\#(room.name)"}"#)
        for part in [
            #""kind":"STANDARD""#, #""state":"ACTIVE""#, #""joined_at_ms":"1"#,
            #""disconnect_reason":"UNKNOWN_REASON""#,
            #""can_publish":true"#, #""hidden":false"#,
        ] {
            #expect(participants.contains(part), "\(part): \(participants)")
        }
        let jobs = text("Egress/ListEgress", "{}")
        for part in [#""started_at":"1"#, #""error_code":0"#, #""stream_results":["#, #""next_page_token":null"#] {
            #expect(jobs.contains(part), "\(part): \(jobs)")
        }
    }

    @Test func `what it does not know is an error in Twirp's form`() throws {
        var office = WatchedOffice()
        office.live(through: 50)
        let ask = { (api: inout OfficeAPI, path: String, body: String) in
            let answer = api.answer(path, body: Array(body.utf8), at: Office.epoch)
            return "\(answer.status) " + String(decoding: answer.body, as: UTF8.self)
        }
        let participants = "/twirp/livekit.RoomService/ListParticipants"
        #expect(
            ask(&office.api, participants, #"{"room":"nowhere"}"#)
                == #"404 {"code":"not_found","msg":"requested room does not exist"}"#)
        #expect(ask(&office.api, "/twirp/livekit.SIP/ListSIPTrunk", "{}").hasPrefix(#"404 {"code":"bad_route""#))
        #expect(ask(&office.api, participants, "[").hasPrefix(#"400 {"code":"malformed""#))
    }

    @Test func `ended jobs are known for a day`() throws {
        // The office's two hours take forty.
        let timeline = Timeline(startedAt: Office.epoch, speed: 0.05)
        var office = Office(size: WatchedOffice.size, seed: 7)
        var api = OfficeAPI(timeline: timeline)
        var ends: [String: Timestamp] = [:]
        var now = Office.epoch
        while let occurrence = office.nextOccurrence() {
            api.take(occurrence)
            now = timeline.moment(occurrence.at)
            guard case .webhook(let webhook) = occurrence else { continue }
            for case .recordingEnded(let recording) in webhook.facts where recording.startedAt != nil {
                ends[recording.id] = now
            }
        }
        let answer = api.answer("/twirp/livekit.Egress/ListEgress", body: [], at: now)
        let text = String(decoding: answer.body, as: UTF8.self)
        let young = ends.filter { now.since($0.value) <= .seconds(86_400) }
        #expect(young.count > 3 && young.count < ends.count)
        for id in ends.keys { #expect(text.contains(#""egress_id":"\#(id)""#) == (young[id] != nil)) }
    }
}
