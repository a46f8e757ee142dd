/// The version of lkpush.
package enum Version {
    /// The version that `lkpush version`, the log and the metrics show.
    package static let number = "0.9.0"
    /// The header `User-Agent` of requests.
    package static let userAgent = "lkpush/\(number)"
}
