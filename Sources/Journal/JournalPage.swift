/// Elements that were read from a journal at one time, and a count of what could not be read.
package struct JournalPage<Element: Sendable>: Sendable {
    package var elements: [Element] = []
    /// The number of rows with a wrong checksum, and of places where pages could not be read.
    package var damaged = 0

    package init() {}
}
