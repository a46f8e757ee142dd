/// The most allocations per operation of each case. Lower a threshold whenever the code allows it; raising one needs a
/// reason in the commit.
enum Thresholds {
    static let allocations: [String: Double] = [
        // Three arrays of the token, and two texts that outlive it.
        "verify": 5,
        // The texts of an event that are longer than the 15 bytes which fit into a String.
        "decode/room_started": 4,
        "decode/room_finished": 4,
        "decode/participant_joined": 4.5,
        "decode/participant_left": 4.5,
        "decode/participant_connection_aborted": 4.5,
        "decode/track_published": 2.5,
        "decode/track_unpublished": 2.5,
        "decode/egress_started": 2.5,
        "decode/egress_updated": 3,
        "decode/egress_ended": 4,
        "decode/ingress_started": 2.5,
        "decode/ingress_ended": 2.5,
        "decode/other": 4.5,
        // Each participant with tracks has an array of them. The rest are growing tables.
        "apply/fixed/5000/1000/100": 0.15,
        "apply/database/5000/1000/100": 0.15,
        "apply/fixed/50000/10000/1000": 0.15,
        // A thousand organizations, whose series of usage begin one by one.
        "apply/database/50000/10000/1000": 0.25,
        // Some for each organization: the label values of its info and of its series of usage, the buckets of its
        // histograms.
        "snapshot/50000/10000/1000": 160_000,
        // Texts and lists of open entities, and the series of usage of each organization.
        "restore/50000/10000/1000": 370_000,
        // One for each request, made and freed inside `snappy_compress`. lkpush itself makes none.
        "tick/all due/allocations per tick": 24,
        "tick/with a spool": 0.0003,
        "tick/none changed": 0.0001,
        "exposition": 440_000,
        "queue": 0.001,
        // SQLite's own; lkpush itself makes none. A larger group does not need more.
        "journal/groups of 1": 6,
        "journal/groups of 32": 0.2,
        "journal/groups of 256": 0.03,
        // A copy of each group's bytes, and its reader.
        "journal/read": 0.25,
        // Answers wait for the commit: the pending answer with its fallback, and their share of the commit; and the totals
        // of usage of each turn.
        "http/256 connections": 29.5,
    ]
}
