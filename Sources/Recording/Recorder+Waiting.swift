package import Wire

extension Recorder {
    /// The number of events that wait for the organization of their room.
    package var waitingEvents: Int { waiting.count }

    /// No further event may wait: the next one ends the longest wait of a room.
    package var isWaitingRoomFull: Bool { waiting.count >= settings.waitingEvents }

    /// Applies every waiting event as if its lookup had failed: for the last moment of a stop, when answers are not
    /// accepted any more.
    package mutating func giveUpWaiting(at time: Timestamp, into actions: inout [Action]) {
        apply(.time(at: time), into: &actions)
        while let name = waiting.longest() { giveUpWaiting(name, .stopped, &actions) }
    }
}
