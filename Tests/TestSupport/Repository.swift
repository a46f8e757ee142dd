/// The place of the sources, for tests that read files beside them.
package enum Repository {
    /// The folder that holds `Package.swift`.
    package static let root: String = {
        let parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
        return parts.dropLast(3).joined(separator: "/")
    }()
}
