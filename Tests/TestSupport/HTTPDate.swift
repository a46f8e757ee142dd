import Glibc

/// The header `Date` of a machine whose clock may be wrong. https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7
package enum HTTPDate {
    /// The text for a moment that many seconds from now. Wraps `strftime`.
    package static func text(secondsFromNow seconds: Int) -> String {
        var moment = time(nil) + seconds
        var parts = tm()
        gmtime_r(&moment, &parts)
        var text = [CChar](repeating: 0, count: 64)
        let count = strftime(&text, text.count, "%a, %d %b %Y %H:%M:%S GMT", &parts)
        return String(decoding: text.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
