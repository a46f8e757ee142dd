import HTTPClient
import Platform
import Wire

extension Response {
    /// The differences between this machine's clock and the receiver's that the header `Date` allows. It has whole
    /// seconds. Nil if there is none that can be read. https://www.rfc-editor.org/rfc/rfc9110#section-6.6.1
    func clock(receivedAt: Timestamp, took: Duration) -> ClockInterval? {
        headers["date"].flatMap { RetryAfter.date($0) }.map {
            ClockInterval(told: $0, roundedTo: .seconds(1), receivedAt: receivedAt, took: took)
        }
    }
}
