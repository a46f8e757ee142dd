/// The reason why a journal is not moved: a sentence for people, with what to do.
struct MoveFault: Error, Sendable, Equatable, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
