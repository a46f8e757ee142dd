/// A message with the shift of the webhook that told it. So the server API shows the same times as that webhook.
struct Told<Message: Sendable>: Sendable {
    var message: Message
    let shift: TimeShift
}
