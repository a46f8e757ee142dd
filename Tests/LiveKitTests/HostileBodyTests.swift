import Foundation
import LiveKit
import TestSupport
import Testing
import Wire

/// Damaged bodies: the decoder always returns, with an event or a fault, and never takes what is not JSON.
@Suite struct HostileBodyTests {
    private let decoder = EventDecoder(metadataKey: "org_id")

    @Test(arguments: Corpus.shared.files)
    func `a body that is cut short anywhere is a fault`(entry: Corpus.Entry) throws {
        let body = try entry.body()
        for count in body.indices {
            #expect(throws: DecodingFault.self) { try decoder.decode(body.span.extracting(..<count)) }
        }
    }

    @Test func `any one byte may be any other`() throws {
        let faults = try faults(of: "track_published_microphone.json", with: Array(UInt8.min...UInt8.max))
        // Most bytes of a body are text, in which most bytes are as good as others.
        #expect((541 * 32..<541 * 256).contains(faults))
    }

    @Test(arguments: ["participant_left.json", "egress_ended.json", "ingress_ended.json", "agent_job_ended.json"])
    func `any one byte may be one that means something`(file: String) throws {
        #expect(try faults(of: file, with: Array("{}[]:,\"\\u0-. \u{0}\u{7f}".utf8) + [0xFF]) > 0)
    }

    /// How many bodies that differ in one byte are faults.
    private func faults(of file: String, with replacements: [UInt8]) throws -> Int {
        let body = try Corpus.bytes(file)
        var mutant = body
        var faults = 0
        for index in body.indices {
            for byte in replacements {
                mutant[index] = byte
                faults += isFault(mutant) ? 1 : 0
            }
            mutant[index] = body[index]
        }
        return faults
    }

    @Test func `what Foundation does not take for JSON is not taken, whatever the damage`() throws {
        var generator = SeededGenerator(seed: 20_260_928)
        let bodies = try Corpus.shared.files.map { try $0.body() }
        let pieces = [
            "{", "}", "[", "]", ":", ",", "\"", "\\", "\\u", "null", "-", "1e9", "99999999999999999999", "\u{0}", " ",
            "{}",
        ]
        var taken = 0
        for _ in 0..<8_000 {
            var mutant = bodies[Int.random(in: bodies.indices, using: &generator)]
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                damage(&mutant, with: pieces, bodies, &generator)
            }
            guard !isFault(mutant) else { continue }
            taken += 1
            // Skipped text may hold what Foundation refuses: bytes that are no UTF-8, halves of surrogate pairs.
            guard let text = String(validating: mutant, as: UTF8.self), !text.contains("\\u") else { continue }
            let judged = try? JSONSerialization.jsonObject(with: Data(mutant), options: .fragmentsAllowed)
            #expect(judged != nil, "taken: \(text)")
        }
        #expect(taken > 100)
    }

    @Test func `noise is a fault`() {
        var generator = SeededGenerator(seed: 7)
        let alphabet = Array(#"{}[]:,"\u0019eE+-. truefalsnl"#.utf8)
        for _ in 0..<20_000 {
            let count = Int.random(in: 0...40, using: &generator)
            let noise = (0..<count).map { _ in alphabet[Int.random(in: alphabet.indices, using: &generator)] }
            guard !isFault(noise) else { continue }
            // What is no fault starts like an object.
            #expect(noise.first { $0 != UInt8(ascii: " ") } == UInt8(ascii: "{"))
        }
    }

    private func damage(
        _ body: inout [UInt8], with pieces: [String], _ bodies: [[UInt8]], _ generator: inout SeededGenerator
    ) {
        let at = Int.random(in: 0...body.count, using: &generator)
        let end = min(body.count, at + Int.random(in: 0...20, using: &generator))
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: body.removeSubrange(at..<end)
        case 1: body.insert(contentsOf: pieces[Int.random(in: pieces.indices, using: &generator)].utf8, at: at)
        case 2:
            let other = bodies[Int.random(in: bodies.indices, using: &generator)]
            let from = Int.random(in: other.indices, using: &generator)
            body.replaceSubrange(at..<end, with: other[from..<min(other.count, from + 20)])
        default:
            guard at < body.count else { return }
            body[at] = UInt8.random(in: 0...255, using: &generator)
        }
    }

    private func isFault(_ body: [UInt8]) -> Bool {
        do throws(DecodingFault) {
            _ = try decoder.decode(body.span)
            return false
        } catch {
            return true
        }
    }
}
