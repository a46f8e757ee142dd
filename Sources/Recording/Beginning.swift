/// When a life began: the second that decides between lives, and the time that a duration begins at.
struct Beginning {
    /// In Unix seconds, not later than its receipt.
    var at_s: Int64 = 0
    var start_ms: Int64 = 0

    /// The earlier one of two.
    func earlier(_ other: Beginning?) -> Beginning {
        guard let other, other.isEarlier(than: self) else { return self }
        return other
    }

    func isEarlier(than other: Beginning) -> Bool { (at_s, start_ms) < (other.at_s, other.start_ms) }
}
