#if DEBUG
    import Platform

    /// A fault of the recorder that a test plants: a debug build dies of each event of the participant whose identity is
    /// in `LKPUSH_TRAP_IDENTITY`.
    enum PlantedTrap {
        private static let identity = ProcessEnvironment.current["LKPUSH_TRAP_IDENTITY"]

        static func spring(_ identity: String) {
            precondition(identity != Self.identity, "a test planted this trap")
        }
    }
#endif
