import Exporter
import Platform
import Testing

/// The secrets that are good after each look at the files.
@Suite struct KeyRingTests {
    private func at(_ seconds: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: seconds * 1_000_000_000) }

    private func pairs(_ pairs: KeyValuePairs<String, String>) -> [KeyPair] {
        pairs.map { KeyPair(key: $0.key, secret: Secret($0.value)) }
    }

    private func good(_ ring: KeyRing) -> [String: [String]] { ring.secrets.mapValues { $0.map(\.exposed) } }

    @Test func `what is found counts when it is found twice in a row`() {
        var ring = KeyRing(pairs(["a": "old"]))
        #expect(ring.look(pairs(["a": "new"]), at: at(1)) == .nothing)
        #expect(good(ring) == ["a": ["old"]])
        #expect(ring.look(pairs(["a": "new"]), at: at(2)) == .keys(replaced: 1, removed: 0))
        #expect(good(ring) == ["a": ["new", "old"]])
        #expect(ring.look(pairs(["a": "new"]), at: at(3)) == .nothing)
    }

    @Test func `a file that is being written is never believed`() {
        var ring = KeyRing(pairs(["a": "old", "b": "other"]))
        for half in [pairs(["a": "n"]), pairs(["a": "ne"]), pairs(["a": "new"]), pairs(["a": "new", "b": "oth"])] {
            #expect(ring.look(half, at: at(1)) == .nothing)
        }
        // Half a file, an unreadable one, half a file again: not twice in a row.
        #expect(ring.look(pairs(["a": "n"]), at: at(2)) == .nothing)
        #expect(ring.lookFailed(at: at(2)) == .nothing)
        #expect(ring.look(pairs(["a": "n"]), at: at(3)) == .nothing)
        // The file goes back to its old content.
        #expect(ring.look(pairs(["a": "old", "b": "other"]), at: at(4)) == .nothing)
        #expect(ring.look(pairs(["a": "n"]), at: at(5)) == .nothing)
        #expect(good(ring) == ["a": ["old"], "b": ["other"]])
    }

    @Test func `a replaced secret is good for five minutes, also while the file is away`() {
        var ring = KeyRing(pairs(["a": "old"]))
        _ = ring.adopt(pairs(["a": "new"]), at: at(10))
        #expect(ring.lookFailed(at: at(309)) == .nothing)
        #expect(good(ring) == ["a": ["new", "old"]])
        #expect(ring.lookFailed(at: at(310)) == .expired)
        #expect(good(ring) == ["a": ["new"]])
        #expect(ring.pairs == pairs(["a": "new"]))
    }

    @Test func `a key that is not there any more is good no more, and neither are its old secrets`() {
        var ring = KeyRing(pairs(["a": "1", "b": "2"]))
        #expect(ring.adopt(pairs(["a": "1", "b": "3"]), at: at(1)) == .keys(replaced: 1, removed: 0))
        #expect(ring.adopt(pairs(["a": "1"]), at: at(2)) == .keys(replaced: 0, removed: 1))
        #expect(good(ring) == ["a": ["1"]])
        #expect(ring.adopt(pairs(["a": "1", "b": "4"]), at: at(3)) == .keys(replaced: 0, removed: 0))
        #expect(good(ring) == ["a": ["1"], "b": ["4"]])
    }

    @Test func `a secret that comes back is not a replaced one`() {
        var ring = KeyRing(pairs(["a": "1"]))
        _ = ring.adopt(pairs(["a": "2"]), at: at(1))
        _ = ring.adopt(pairs(["a": "1"]), at: at(2))
        #expect(good(ring) == ["a": ["1", "2"]])
        _ = ring.lookFailed(at: at(302))
        #expect(good(ring) == ["a": ["1"]])
    }

    @Test func `the first key of the file signs, whatever it was before`() {
        var ring = KeyRing(pairs(["a": "1", "b": "2"]))
        #expect(ring.adopt(pairs(["b": "2", "a": "1"]), at: at(1)) == .keys(replaced: 0, removed: 0))
        #expect(ring.pairs.map(\.key) == ["b", "a"])
    }

    @Test func `a secret that changes all the time leaves four behind, the newest`() {
        var ring = KeyRing(pairs(["a": "0"]))
        for number in 1...10 { _ = ring.adopt(pairs(["a": "\(number)"]), at: at(Int64(number))) }
        #expect(good(ring) == ["a": ["10", "9", "8", "7", "6"]])
    }
}
