package import Platform

/// A log whose file a test reads: as patient as a busy machine needs.
extension Log {
    private static var deadline: MonotonicTime { SystemTime().monotonic() + .seconds(60) }

    /// Waits until what was logged is in the file.
    package func settle() -> Bool { flush(by: Self.deadline, patience: .seconds(60)) }

    /// The same, and nothing is written to the descriptor afterwards: it may be closed.
    @discardableResult
    package func end() -> Bool { close(by: Self.deadline, patience: .seconds(60)) }
}
