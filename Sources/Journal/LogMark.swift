/// A note in the lease of a log, in the place of a fingerprint, that the log is being moved or was moved. While it is there
/// no replica leads the log, and none appends to it.
package enum LogMark: Sendable, Equatable {
    /// A journal with this id is being copied to the log. Can become: copied.
    case filling(from: String)
    /// The journal with this id was copied to the log, and is about to be put aside.
    case filled(from: String)
    /// The log is being copied to a journal with this id. Can become: moved.
    case leaving(to: String)
    /// The log was copied to a journal with this id, which goes on.
    case moved(to: String)

    /// The fingerprint of every mark begins with it.
    package static let prefix = "lkpush-move "

    /// The text in the lease.
    package var text: String {
        switch self {
        case .filling(let id): "\(Self.prefix)filling \(id)"
        case .filled(let id): "\(Self.prefix)filled \(id)"
        case .leaving(let id): "\(Self.prefix)leaving \(id)"
        case .moved(let id): "\(Self.prefix)moved \(id)"
        }
    }

    /// Reads the fingerprint of a lease. Nil for one that is no mark.
    package init?(_ fingerprint: String) {
        guard fingerprint.hasPrefix(Self.prefix) else { return nil }
        let words = fingerprint.split(separator: " ").map { String($0) }
        guard words.count == 3 else { return nil }
        switch words[1] {
        case "filling": self = .filling(from: words[2])
        case "filled": self = .filled(from: words[2])
        case "leaving": self = .leaving(to: words[2])
        case "moved": self = .moved(to: words[2])
        default: return nil
        }
    }
}
