/// The shells for which there is completion.
package enum Shell: String, Sendable, CaseIterable {
    case bash
    case zsh
}
