/// What is wrong, and what to do about it: one text for a line of the log and for the status page.
package struct Advice: Sendable {
    /// What is wrong and what it costs: the message of the line.
    package let what: StaticString
    /// What to do, with the names of settings: the line's field `action`.
    package let action: String

    package init(what: StaticString, action: String) {
        self.what = what
        self.action = action
    }

    /// The value of the field `action`.
    package var field: Log.Value { .string(action) }
}
