/// A text that equals another only where all its bytes are the same.
///
/// `String` takes texts for equal that look the same, such as `é` in one character and in two. LiveKit and databases do
/// not: such names are different rooms, and such identities different people. The hash may be that of `String`, since
/// the same bytes are the same text to it.
package struct ExactText: Hashable, Sendable {
    package let text: String

    package init(_ text: String) { self.text = text }

    package static func == (a: ExactText, b: ExactText) -> Bool {
        a.text == b.text && a.text.utf8.elementsEqual(b.text.utf8)
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(text) }
}
