extension String {
    /// The beginning of the text, of at most `limit` bytes of UTF-8: cut between scalars, never inside one.
    package func truncated(toBytes limit: Int) -> String {
        precondition(limit >= 0, "a text has no negative length")
        guard utf8.count > limit else { return self }
        var end = utf8.index(startIndex, offsetBy: limit)
        // The bytes of a scalar after its first are 10xxxxxx.
        while end > startIndex, utf8[end] & 0xC0 == 0x80 { utf8.formIndex(before: &end) }
        return String(unicodeScalars[..<end])
    }
}
