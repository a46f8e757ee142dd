/// The beginning of a life: the second that decides between lives, and the time from which a duration is measured.
struct Beginning {
    /// In Unix seconds, and not later than the receipt of its event.
    var at_s: Int64 = 0
    var start_ms: Int64 = 0

    /// Returns the earlier one of two beginnings.
    func earlier(_ other: Beginning?) -> Beginning {
        guard let other, other.isEarlier(than: self) else { return self }
        return other
    }

    func isEarlier(than other: Beginning) -> Bool { (at_s, start_ms) < (other.at_s, other.start_ms) }
}
