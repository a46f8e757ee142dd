import LiveKit
import Platform
import Testing
import Wire

@Suite struct DigestTests {
    @Test func `SHA-256 of the standard's examples`() {
        // https://csrc.nist.gov/projects/cryptographic-standards-and-guidelines/example-values
        let vectors = [
            "": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "abc": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq":
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
        ]
        for (text, digest) in vectors {
            let bytes = Array(text.utf8)
            #expect(hexadecimal(Digest(of: bytes.span)) == digest)
        }
        let million = [UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000)
        #expect(
            hexadecimal(Digest(of: million.span)) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    }

    @Test func `HMAC of the RFC's examples whose keys are text`() {
        // https://www.rfc-editor.org/rfc/rfc4231#section-4.3
        let message = Array("what do ya want for nothing?".utf8)
        #expect(
            hexadecimal(SigningKey(Secret("Jefe")).signature(of: message.span))
                == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
        // Section 4.2: twenty bytes of 0x0b.
        let greeting = Array("Hi There".utf8)
        #expect(
            hexadecimal(SigningKey(Secret(String(repeating: "\u{b}", count: 20))).signature(of: greeting.span))
                == "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7")
    }

    @Test func `a key of more than a block is hashed first`() {
        let message = Array("message".utf8)
        // Computed with Python's hmac.
        #expect(
            hexadecimal(SigningKey(Secret(String(repeating: "k", count: 64))).signature(of: message.span))
                == "890f3a16e0ca0aaa3bf180f70fa8e3970b3fd6505e98fde157988dcc19d1685c")
        #expect(
            hexadecimal(SigningKey(Secret(String(repeating: "k", count: 65))).signature(of: message.span))
                == "0c256505306af48015530c139bb7add5ad7a6a9291cd511278a067e765816fbd")
    }

    @Test func `a key signs the same again and again, and from many threads`() {
        let key = SigningKey(Secret("secret"))
        let message: [UInt8] = [1, 2, 3]
        let expected = hexadecimal(key.signature(of: message.span))
        let wrong = Monitor(0)
        let threads = (0..<4).map { number in
            NamedThread(name: "sign\(number)") {
                for _ in 0..<2_000 where hexadecimal(key.signature(of: message.span)) != expected {
                    wrong.withLock { $0 += 1 }
                }
            }
        }
        for thread in threads { thread.join() }
        #expect(wrong.withLock { $0 } == 0)
    }

    @Test func `the prefix is the first eight bytes, the first byte highest`() {
        let bytes = Array("abc".utf8)
        #expect(Digest(of: bytes.span).prefix == 0xba78_16bf_8f01_cfea)
        #expect(Digest(of: bytes.span).bytes.count == 32)
    }
}

private func hexadecimal(_ digest: Digest) -> String {
    digest.bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}
