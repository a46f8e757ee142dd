import Glibc

/// The metric families that are shipped: all but those that a glob names.
package struct FamilySelection: Sendable, Equatable {
    let excluded: [String]

    package init(excluding excluded: [String]) { self.excluded = excluded }

    /// True if the family is shipped.
    package func includes(_ family: String) -> Bool {
        !excluded.contains { fnmatch($0, family, 0) == 0 }
    }
}
