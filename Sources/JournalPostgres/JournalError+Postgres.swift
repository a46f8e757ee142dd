package import Journal
package import Storage

extension JournalError {
    /// The code of a division by zero. The fence of a transaction fails with it.
    static let fenceCode = "22012"
    /// The code of a value that cannot be read. The check that nothing was written since fails with it.
    static let serialCode = "22P02"
    /// The code of a key that is there already.
    static let uniqueCode = "23505"
    /// The code of a table that is not there.
    static let noTableCode = "42P01"
    /// The code of a warning without one of its own: a wait for a synchronous standby was cancelled.
    static let warningCode = "01000"

    /// An error of the database, under its cause. https://www.postgresql.org/docs/15/errcodes-appendix.html
    package init(_ error: StoreError) {
        let kind: Kind =
            switch error.code {
            case "53100": .full
            case "25006": .readOnly
            default: .other
            }
        self.init(kind, error.description)
    }

    /// Runs `body`, and throws an error of the database as a `JournalError`.
    static func ofDatabase<Result>(_ body: () throws(StoreError) -> Result) throws(JournalError) -> Result {
        do throws(StoreError) { return try body() } catch { throw JournalError(error) }
    }
}
