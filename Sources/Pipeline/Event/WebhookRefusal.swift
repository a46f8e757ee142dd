/// The reason why a webhook was refused, other than for its token. The raw value is the label value of `reason`.
package enum WebhookRefusal: String, Sendable, CaseIterable {
    /// The request is signed, but has another path than `/webhook` or came to the private listener: 404 or 405.
    case wrong_path
    /// The request is signed and came to `/webhook`, but with another method than POST: 405.
    case wrong_method
    /// The body is signed, but is not the JSON of a webhook: 400.
    case invalid_json
    /// The body is longer than `WEBHOOK_MAX_BODY`: 413.
    case body_too_large
    /// The bodies that are being received use all the memory that they may: 503.
    case no_memory
    /// The queue had no room for 500 ms: 503.
    case queue_full
    /// The event was not committed within 900 ms: 503. It is kept, and its repetition is a duplicate.
    case commit_late
    /// The journal cannot be written: 503.
    case journal_failed
    /// The state is being restored: 503.
    case starting
    /// lkpush stops: 503.
    case stopping
}
