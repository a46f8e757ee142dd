package import Platform

/// A log whose file a test reads. Its waits are long enough for a busy machine.
extension Log {
    private static var deadline: MonotonicTime { SystemTime().monotonic() + .seconds(60) }

    /// Waits until everything that was logged is in the file.
    package func settle() -> Bool { flush(by: Self.deadline, patience: .seconds(60)) }

    /// Does the same, and then nothing is written to the descriptor any more: it may be closed.
    @discardableResult
    package func end() -> Bool { close(by: Self.deadline, patience: .seconds(60)) }
}
