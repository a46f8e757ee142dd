import Platform
import Testing

@Suite struct RandomIDTests {
    @Test func `an id is 32 digits of hexadecimal, a short one 16`() {
        let digits = Set("0123456789abcdef")
        // Leading zeros are kept. One in 16 ids begins with a zero.
        for _ in 0..<1_000 {
            let id = RandomID.make()
            #expect(id.utf8.count == 32 && digits.isSuperset(of: id))
            let short = RandomID.makeShort()
            #expect(short.utf8.count == 16 && digits.isSuperset(of: short))
        }
    }

    @Test func `no two are the same`() {
        #expect(Set((0..<10_000).map { _ in RandomID.make() }).count == 10_000)
        #expect(Set((0..<10_000).map { _ in RandomID.makeShort() }).count == 10_000)
    }
}
