import Foundation
import TestSupport
import Testing
import Wire

// The questions of the article about people, rooms, features and sessions.

extension QueryTests {
    var truth: Truth { lived.day.truth }

    @Test func `people and rooms at every look are the truth`() throws {
        let people = try article.query("Who is online now?")
        let rooms = try article.query("How many rooms are open?")
        let unfinished = try article.query("How many rooms started and are not finished?")
        for look in looks where look.minute % 20 == 0 {
            for organization in truth.orgs {
                let online = truth.gauge(organization, "participants:standard", minute: look.minute)
                let open = truth.gauge(organization, "rooms", minute: look.minute)
                #expect(try lived.value(people, organization, at: look.time) ?? 0 == online)
                #expect(try lived.value(rooms, organization, at: look.time) ?? 0 == open)
                #expect(try lived.value(unfinished, organization, at: look.time) ?? 0 == open)
            }
        }
    }

    @Test func `the difference of increases is no number of rooms`() throws {
        let older = try article.older("How many rooms started and are not finished?")
        var (changes, fractions) = (0, 0)
        for look in looks where look.minute % 20 == 0 {
            for organization in truth.orgs {
                guard let value = try lived.value(older, organization, at: look.time) else { continue }
                if value == 0 { continue }
                changes += 1
                if abs(value - value.rounded()) > 0.001 { fractions += 1 }
            }
        }
        // How many are none depends on where the samples lie between the looks.
        #expect(changes > 10 && fractions > 0, "\(fractions) of \(changes) are no whole numbers")
        // Over the whole day, whose difference is known, it is near and not exact.
        let started = try article.query("How many rooms started in the last hour?").replacing(
            "[1h]", with: "[$__range]")
        for organization in truth.orgs {
            let wanted = truth.sum(organization, "rooms_started")
            let found = try lived.value(started, organization)
            #expect(isNear(found, wanted, within: 0.1), "\(organization): \(found ?? .nan) for \(wanted)")
        }
    }

    @Test func `the most people at once and their average are the truth as far as the steps see it`() throws {
        let most = try article.query("How many people were there at most, and on average?")
        let connected = try article.query("How many people were there at most, and on average?", 1)
        let average = try article.query("How many people were there at most, and on average?", 2)
        for organization in truth.orgs {
            let all = truth.gauges_each_minute.map { $0.orgs[organization]?["participants:standard"] ?? 0 }
            let peak = all.max() ?? 0
            let mean = all.reduce(0, +) / Double(all.count)
            let looked = looks.map { truth.gauge(organization, "participants:standard", minute: $0.minute) }.max() ?? 0
            // Between two minutes there may be one or two more.
            let found = try lived.value(most, organization) ?? 0
            #expect(found >= looked - 1 && found <= peak + 2, "\(organization): \(found), and \(peak) in truth")
            let stored = try lived.value(connected, organization) ?? 0
            #expect(abs(stored - peak) <= 3, "\(organization): \(stored), and \(peak) in truth")
            #expect(isNear(try lived.value(average, organization), mean, within: 0.15))
        }
    }

    @Test func `the people of the database and the names of organizations are the truth`() throws {
        let connected = try article.query("How many people are connected, says the database?")
        let named = try article.query("Which organization is this?")
        var names = 0
        for look in looks where look.minute % 60 == 0 {
            let found = try lived.prometheus.query(lived.filled(named), at: look.time)
            for organization in truth.orgs {
                let people = truth.gauge(organization, "participants:standard", minute: look.minute)
                let one = found.filter { $0.labels["org_id"] == organization }
                #expect(one.count <= 1 && one.first?.value ?? 0 == people)
                if let name = one.first?.labels["org_name"], !name.isEmpty { names += 1 }
                // The report is up to one refresh older than the look.
                let stored = try lived.value(connected, organization, at: look.time) ?? 0
                let recent = (look.minute - 7...look.minute).map {
                    truth.gauge(organization, "participants:standard", minute: max(0, $0))
                }
                let range = (recent.min() ?? 0) - 2...(recent.max() ?? 0) + 2
                #expect(range.contains(stored), "\(look.minute) \(organization): \(stored), \(range)")
            }
        }
        #expect(names > 20)
    }

    @Test func `camera adoption is the truth at every look, and the older query is empty`() throws {
        let mended = try article.query("How many people have their camera on?")
        let older = try article.older("How many people have their camera on?")
        var some = 0
        for look in looks {
            let found = try lived.prometheus.query(lived.filled(mended), at: look.time)
            for organization in truth.orgs {
                let people = truth.gauge(organization, "participants:standard", minute: look.minute)
                let cameras = truth.gauge(organization, "tracks:camera", minute: look.minute)
                let value = found.first { $0.labels["org_id"] == organization }?.value
                if people == 0 {
                    #expect(value == nil)
                } else {
                    some += 1
                    #expect(isNear(value, cameras / people * 100), "\(look.minute) \(organization)")
                }
            }
        }
        #expect(some > 1_000)
        #expect(try lived.series(older).isEmpty)
    }

    @Test func `percentiles of session length are in the bucket of the true ones`() throws {
        let lengths = try SessionLengths(lived.day)
        let median = try article.query("How long do sessions last?")
        for organization in truth.orgs {
            let all = try #require(lengths.byOrganization[organization]?.sorted())
            #expect(Double(all.count) == truth.sum(organization, "sessions:standard"))
            for quantile in [0.5, 0.9, 0.99] {
                let query = median.replacing("histogram_quantile(0.5,", with: "histogram_quantile(\(quantile),")
                let found = try #require(try lived.value(query, organization))
                let wanted = all[min(all.count - 1, Int(quantile * Double(all.count)))]
                let bucket = SessionLengths.bucket(of: wanted)
                #expect(bucket.contains(found), "\(organization) \(quantile): \(found) for \(wanted)")
            }
        }
    }

    @Test func `the older percentiles are no numbers in many ranges, and were cut off at the last bucket`() throws {
        let older = try article.older("How long do sessions last?")
        let smallest = try #require(
            truth.orgs.min { truth.sum($0, "sessions:standard") < truth.sum($1, "sessions:standard") })
        let values = try looks.compactMap { try lived.value(older, smallest, at: $0.time) }
        #expect(values.count { $0.isNaN } > values.count / 10, "\(values.count { $0.isNaN }) of \(values.count)")
        // With the buckets of that time.
        let cut = try article.query("How long do sessions last?")
            .replacing("histogram_quantile(0.5,", with: "histogram_quantile(0.99,")
            .replacing(#"org_id="$org_id""#, with: #"org_id="$org_id", le!~"7200|14400|28800""#)
        for organization in truth.orgs { #expect(try lived.value(cut, organization) == 2969) }
        // What is above the last bound of now.
        let edge = try article.query("Are the percentiles complete?")
        let lengths = try SessionLengths(lived.day)
        for organization in truth.orgs {
            let all = lengths.byOrganization[organization] ?? []
            let wanted = Double(all.count { $0 > 28_800 }) / Double(all.count)
            let found = try #require(try lived.value(edge, organization))
            #expect(abs(found - wanted) < 0.01, "\(organization): \(found) for \(wanted)")
        }
    }

    @Test func `users and their time online are the truth`() throws {
        let weekly = try article.query("How many people were there in a week?")
        let online = try article.query("How long is a user online?")
        for window in ["7d", "30d", "month"] {
            for organization in truth.orgs {
                let users = Double(truth.unique_users[organization] ?? 0)
                let seconds = truth.sum(organization, "session_seconds:standard")
                let ofWindow = { (query: String) in query.replacing("7d", with: window) }
                #expect(try lived.value(ofWindow(weekly), organization) == users)
                // Ends are told in whole seconds.
                let wanted = seconds / users
                #expect(isNear(try lived.value(ofWindow(online), organization), wanted, within: 0.001))
            }
        }
        #expect(try lived.value(online, OfficeDatabase.troubled) == nil)
    }
}

/// The lengths of all sessions of the day, by the webhooks' own times.
struct SessionLengths {
    private struct Event: Decodable {
        struct Participant: Decodable {
            let kind: String?
            let joinedAtMs: String?
        }

        let participant: Participant?
    }

    /// The bounds of the buckets.
    static let bounds: [Double] = [0, 15, 27, 48, 87, 157, 283, 509, 916, 1649, 2969, 7200, 14400, 28800]

    private(set) var byOrganization: [String: [Double]] = [:]

    init(_ day: SimulatedDay) throws {
        let decoder = JSONDecoder()
        for post in day.posts where post.isNew {
            guard post.event == "participant_left", !post.isRepeatedFact else { continue }
            let event = try decoder.decode(Event.self, from: Data(post.body))
            guard let person = event.participant,
                ["", "STANDARD"].contains(person.kind ?? ""), let joined_ms = person.joinedAtMs.flatMap(Double.init)
            else { continue }
            let seconds = max(0, post.createdAt.seconds - joined_ms / 1_000)
            byOrganization[day.truth.rooms[post.room] ?? "", default: []].append(seconds)
        }
    }

    static func bucket(of seconds: Double) -> ClosedRange<Double> {
        let upper = bounds.firstIndex { $0 >= max(seconds, 1) } ?? bounds.count - 1
        return bounds[upper - 1]...bounds[upper]
    }
}
