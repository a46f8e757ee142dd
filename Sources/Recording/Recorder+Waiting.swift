package import Wire

extension Recorder {
    /// Events that wait for the organization of their room.
    package var waitingEvents: Int { waiting.count }

    /// As many wait as may: the next one makes the room that waits longest give up.
    package var isWaitingRoomFull: Bool { waiting.count >= settings.waitingEvents }

    /// Applies every event that still waits as if its organization could not be looked up: for the last moment of a
    /// stop, when no answer will be taken any more.
    package mutating func giveUpWaiting(at time: Timestamp, into actions: inout [Action]) {
        apply(.time(at: time), into: &actions)
        while let name = waiting.longest() { giveUpWaiting(name, .stopped, &actions) }
    }
}
