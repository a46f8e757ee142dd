/// A text that equals another one only if all bytes are the same.
///
/// `String` compares texts by canonical equivalence: `é` as one character equals `é` as two. LiveKit and databases
/// compare bytes: for them these are two rooms, or two people. The hash may be that of `String`, because equal bytes
/// are equal to `String` too.
package struct ExactText: Hashable, Sendable {
    package let text: String

    package init(_ text: String) { self.text = text }

    package static func == (a: ExactText, b: ExactText) -> Bool {
        a.text == b.text && a.text.utf8.elementsEqual(b.text.utf8)
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(text) }
}
