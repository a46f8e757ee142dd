/// Which lkpush this is.
package enum Version {
    /// As `lkpush version`, the log and the metrics tell it.
    package static let number = "0.2.0"
    /// How requests name who sends them.
    package static let userAgent = "lkpush/\(number)"
}
