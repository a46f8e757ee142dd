import Journal
import Platform

/// The troubles of the journal and its disk, each with the way to repair it.
enum JournalAdvice {
    /// A commit failed.
    static func unwritable(_ error: JournalError, _ durability: JournalSettings.Durability) -> Advice {
        switch durability {
        case .commit:
            Advice(
                what: "the journal cannot be written: webhooks are refused until it can", action: action(error.kind))
        case .memory:
            Advice(
                what: """
                    the journal cannot be written: webhooks are taken, but what came since the last snapshot is lost if \
                    lkpush dies
                    """,
                action: action(error.kind))
        }
    }

    /// The journal or the state could not be opened or read at the start.
    static func unreadable(_ error: any Error, _ durability: JournalSettings.Durability) -> Advice {
        let kind = (error as? JournalError)?.kind ?? .other
        return switch durability {
        case .commit:
            Advice(
                what: "the state cannot be read: webhooks are refused until it can", action: action(kind))
        case .memory:
            Advice(
                what: "the state cannot be read: lkpush begins without it, and what is known is lost with this process",
                action: action(kind) + ", then start lkpush again")
        }
    }

    /// A commit to a shared log failed.
    static var logUnwritable: Advice {
        Advice(
            what: """
                the shared log cannot be written: readings are held and rows wait until it can; webhooks go to STATE_DIR
                """,
            action: "see whether the database of JOURNAL_URL answers and has room, and whether its standby does")
    }

    /// A shared log could not be opened or read at the start of a leadership.
    static var logUnreadable: Advice {
        Advice(
            what: "the shared log cannot be read, so nobody counts and nothing is pushed: it is tried again",
            action: "see the error, and whether the database of JOURNAL_URL answers")
    }

    /// The spill could not be opened, read or written.
    static func spillUnusable(_ error: JournalError) -> Advice {
        Advice(
            what: "STATE_DIR cannot keep events: while the shared log cannot be reached, webhooks are refused",
            action: error.kind == .other
                ? "see the error, that no other lkpush uses STATE_DIR, and whether its disk has errors"
                : action(error.kind))
    }

    /// A snapshot could not be saved.
    static var unsaved: Advice {
        Advice(
            what: "the state cannot be saved: the journal grows until it can, and the next start takes longer",
            action: "see the error, and whether the disk of STATE_DIR has room and can be written")
    }

    private static func action(_ kind: JournalError.Kind) -> String {
        switch kind {
        case .full: "make room on the file system of STATE_DIR"
        case .readOnly: "let lkpush write to STATE_DIR: see its owner, its mode, and how its file system is mounted"
        case .gone: "find out what removes or replaces the files in STATE_DIR, and see whether its disk is mounted"
        case .damaged: "see whether the disk of STATE_DIR has errors: the kernel's log tells"
        case .replaced: "nothing: another replica leads the log, and this one stands by"
        case .conflict: "see whether two replicas run on copies of one volume, and give each a volume of its own"
        case .other: "see the error, and whether the disk of STATE_DIR has errors: the kernel's log tells"
        }
    }
}
