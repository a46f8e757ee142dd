import Wire

/// Compares the clock of this replica with those of the others, all measured against the database's.
///
/// A leader with a wrong clock would give wrong times to everything that it counts. Where one replica differs from the
/// others, it does not lead; it goes on taking webhooks, so that a database with a wrong clock stops nobody.
package enum ReplicaClocks {
    package enum Limits {
        /// By how much a clock may differ from the median.
        package static let difference_ms: Int64 = 10_000
        /// The time for which a replica counts as alive after it told its clock.
        package static let life = Duration.seconds(30)
    }

    /// Returns the reason why a replica may not lead; nil where it may. One replica alone always may.
    ///
    /// - Parameters:
    ///   - own: by how many milliseconds its clock is ahead of the database's.
    ///   - all: the same for all replicas that are alive, this one included.
    package static func bar(own: Int64, all: [Int64]) -> String? {
        // Of two that differ nobody knows which is right.
        guard all.count > 2 else { return nil }
        let sorted = all.sorted()
        let median = sorted[sorted.count / 2]
        guard (own - median).magnitude > Limits.difference_ms else { return nil }
        return """
            its clock differs by \((own - median) / 1_000) s from the median of the replicas' clocks: set the clock of its \
            machine right
            """
    }
}
