/// Elements that were read from a journal, and how much of it could not be read.
package struct JournalPage<Element: Sendable>: Sendable {
    package var elements: [Element] = []
    /// Rows with a wrong checksum, and places where pages could not be read.
    package var damaged = 0

    package init() {}
}
