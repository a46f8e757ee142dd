import Exporter
import Foundation
import Matching
import Pipeline
import Platform
import Recording
import Storage
import TestSupport
import Testing

/// The rooms without an organization that the log names, how often, and in which words.
@Suite struct UnknownRoomsTests {
    private typealias Limits = UnknownRooms.Limits

    private let start = SystemTime().monotonic()

    private func at(_ seconds: Int) -> MonotonicTime { start + .seconds(seconds) }

    @Test func `a room is told once, and again after a long time`() {
        var rooms = UnknownRooms()
        #expect(rooms.note("a", .room_not_found, at: at(0)) == .room(.room_not_found, untold: 0))
        for second in 0..<3_600 { #expect(rooms.note("a", .room_not_found, at: at(second)) == nil) }
        #expect(rooms.note("a", .room_not_found, at: at(3_600)) == .room(.room_not_found, untold: 0))
        #expect(rooms.overdue(at: at(9_999)) == nil, "nothing was left out")
    }

    @Test func `another reason is told too: it asks for something else`() {
        var rooms = UnknownRooms()
        #expect(rooms.note("a", .lookup_error, at: at(0)) == .room(.lookup_error, untold: 0))
        #expect(rooms.note("a", .room_not_found, at: at(1)) == .room(.room_not_found, untold: 0))
        #expect(rooms.note("a", .no_organization, at: at(2)) == .room(.no_organization, untold: 0))
    }

    @Test func `ten a minute are told, the others are counted once each, and the count is told`() {
        var rooms = UnknownRooms()
        var told = 0
        for _ in 0..<5 {
            for number in 0..<25 where rooms.note("r\(number)", .room_not_found, at: at(0)) != nil { told += 1 }
        }
        #expect(told == 10)
        #expect(rooms.overdue(at: at(59)) == nil)
        // The line of another room tells the count.
        #expect(rooms.note("new", .no_org_id, at: at(60)) == .room(.no_org_id, untold: 15))
        #expect(rooms.overdue(at: at(300)) == nil)
    }

    @Test func `where no other room comes the count is told by itself`() {
        var rooms = UnknownRooms()
        for number in 0..<13 { _ = rooms.note("r\(number)", .room_not_found, at: at(0)) }
        #expect(rooms.overdue(at: at(59)) == nil)
        #expect(rooms.overdue(at: at(60)) == .untold(3))
        #expect(rooms.overdue(at: at(61)) == nil)
        // The rooms that were counted are told now.
        #expect(rooms.note("r12", .room_not_found, at: at(61)) == .room(.room_not_found, untold: 0))
        #expect(rooms.note("r0", .room_not_found, at: at(61)) == nil)
        for number in 20..<40 { _ = rooms.note("r\(number)", .room_not_found, at: at(62)) }
        #expect(rooms.rest() == .untold(12), "eight lines were left of ten")
        #expect(rooms.rest() == nil)
    }

    @Test func `no minute, wherever it begins, has more than ten lines`() {
        var rooms = UnknownRooms()
        var generator = SeededGenerator(seed: 15)
        var lines: [Int] = []
        var untold = 0
        for second in 0..<2_000 {
            for _ in 0..<Int.random(in: 0...3, using: &generator) {
                let reason = LookupError.allCases.randomElement(using: &generator) ?? .no_org_id
                let line = rooms.note("r\(Int.random(in: 0..<10_000, using: &generator))", reason, at: at(second))
                if case .room(_, let count)? = line { untold += count }
                if line != nil { lines.append(second) }
            }
            if case .untold(let count)? = rooms.overdue(at: at(second)) {
                untold += count
                lines.append(second)
            }
        }
        for (index, line) in lines.enumerated().dropFirst(10) { #expect(line - lines[index - 10] >= 60) }
        #expect(lines.count > 300 && untold > 1_000)
    }

    @Test func `a database that does not answer hides no room that must be looked at`() {
        var rooms = UnknownRooms()
        var lines: [UnknownRooms.Line] = []
        for number in 0..<100 {
            if let line = rooms.note("r\(number)", .lookup_error, at: at(0)) { lines.append(line) }
        }
        #expect(lines == [.room(.lookup_error, untold: 0)], "one stands for all")
        for number in 0..<9 {
            #expect(rooms.note("x\(number)", .room_not_found, at: at(1)) == .room(.room_not_found, untold: 0))
        }
        #expect(rooms.note("r100", .lookup_error, at: at(61)) == .room(.lookup_error, untold: 99))
        #expect(rooms.note("r101", .lookup_error, at: at(62)) == nil)
        #expect(rooms.overdue(at: at(122)) == .untold(1))
    }

    @Test func `memory is bounded, however many rooms there are`() {
        var rooms = UnknownRooms()
        for number in 0..<50_000 {
            _ = rooms.note("room \(number)", .room_not_found, at: at(number / 1_000))
            #expect(rooms.count <= Limits.names)
        }
        #expect(rooms.count > 0)
        // Rooms told long ago make room for new ones. Rooms told recently are remembered.
        var calm = UnknownRooms()
        for number in 0..<(Limits.names - 1) { _ = calm.note("old \(number)", .no_org_id, at: at(0)) }
        #expect(calm.note("recent", .no_org_id, at: at(4_000)) != nil)
        #expect(calm.note("next", .no_org_id, at: at(4_001)) != nil)
        #expect(calm.count == 2)
        #expect(calm.note("recent", .no_org_id, at: at(4_002)) == nil)
    }

    // MARK: The lines

    private func lines(_ source: Settings.OrganizationSource, _ notes: [(String, LookupError)]) throws -> [[String:
        Any]]
    {
        let folder = TemporaryFolder()
        let file = open(folder.file("log"), O_WRONLY | O_CREAT | O_APPEND, 0o600)
        defer { close(file) }
        let log = Log(level: .warning, format: .json, file: file)
        let recorded: Recording.OrganizationSource =
            switch source {
            case .fixed: .fixed(id: "one", name: "One")
            case .roomName: .roomName(try Pattern("(?<org>.*)"))
            case .metadata: .metadata
            case .database: .database
            }
        var rooms = UnknownRoomsLog(source: recorded, log: log)
        for (index, (room, reason)) in notes.enumerated() { rooms.note(room, reason, at: at(index * 60)) }
        rooms.finish()
        #expect(log.settle())
        let text = String(decoding: try FileStore.read(folder.file("log")), as: UTF8.self)
        return try text.split(separator: "\n").map { line in
            try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        }
    }

    @Test(arguments: Settings.OrganizationSource.allCases)
    func `every reason is a warning with the room and with what to do`(
        _ source: Settings.OrganizationSource
    ) throws {
        let lines = try lines(source, LookupError.allCases.map { ("my room", $0) })
        try #require(lines.count == LookupError.allCases.count)
        for (line, reason) in zip(lines, LookupError.allCases) {
            #expect(line["level"] as? String == "warning")
            #expect(line["reason"] as? String == reason.rawValue)
            #expect(line["room"] as? String == "my room")
            #expect(Set(line.keys) == ["ts", "level", "msg", "reason", "room", "action"], "nothing else about anybody")
            #expect((line["action"] as? String)?.isEmpty == false)
            #expect((line["msg"] as? String)?.contains("unknown") == true)
        }
        #expect(Set(lines.compactMap { $0["msg"] as? String }).count == lines.count)
    }

    @Test func `a name is cut after 64 characters, whole ones, and cannot be very long all the same`() throws {
        let family = "👨‍👩‍👧‍👦"
        let cases: [(name: String, shown: String)] = [
            (String(repeating: "x", count: 64), String(repeating: "x", count: 64)),
            (String(repeating: "ä", count: 65), String(repeating: "ä", count: 64)),
            (String(repeating: "e\u{301}", count: 100), String(repeating: "e\u{301}", count: 64)),
            ("a" + family + "b", "a" + family + "b"),
            (String(repeating: "👍", count: 70), String(repeating: "👍", count: 64)),
            ("a\nb\"c\u{0}\u{1B}[31m", "a\nb\"c\u{0}\u{1B}[31m"), ("\u{9B}31m\u{7F}", #"\u{9B}31m\u{7F}"#),
            ("\u{202E}moor", #"\u{202E}moor"#), ("a\u{2028}b", #"a\u{2028}b"#),
        ]
        for (name, shown) in cases {
            let line = try #require(try lines(.database, [(name, .room_not_found)]).first)
            let room = try #require(line["room"] as? String)
            #expect(Array(room.unicodeScalars) == Array(shown.unicodeScalars), "\(name)")
        }
        let accents = try lines(.database, [("a" + String(repeating: "\u{301}", count: 100_000), .room_not_found)])
        #expect((accents.first?["room"] as? String)?.unicodeScalars.count == 64)
        let families = try lines(.database, [(String(repeating: family, count: 100), .room_not_found)])
        let cut = try #require(families.first?["room"] as? String)
        #expect(cut.utf8.count <= 1_024 && cut.count > 20 && cut.allSatisfy { String($0) == family })
    }
}
