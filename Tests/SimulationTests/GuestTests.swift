import LiveKit
import Platform
import Simulation
import Testing
import Wire

/// Agents, calls, retried recordings and reasons of ends.
@Suite struct GuestTests {
    private static let jobs: Set<EventType> = [.agentJobPending, .agentJobStarted, .agentJobEnded]

    @Test func `a day without guests is the same as ever, to the byte`() {
        let webhooks = OfficeTests.afternoon()
        var digest: UInt64 = 0xCBF2_9CE4_8422_2325
        for webhook in webhooks {
            for byte in webhook.message.body(shift: TimeShift(seconds: 0)) {
                digest = (digest ^ UInt64(byte)) &* 0x100_0000_01B3
            }
        }
        #expect(webhooks.count == 2_446)
        #expect(digest == 2_995_586_430_879_376_249)
    }

    @Test func `each job of an agent is told from its begin to its end, in its order`() {
        var steps: [String: [EventType]] = [:]
        for seed in UInt64(1)...8 {
            for webhook in OfficeTests.afternoon(seed: seed, guests: .all) {
                for fact in webhook.facts {
                    switch fact {
                    case .jobWaiting(let id, _, _), .jobStarted(let id, _, _):
                        steps["\(seed) \(id)", default: []].append(webhook.event)
                    case .jobEnded(let job): steps["\(seed) \(job.id)", default: []].append(webhook.event)
                    default: break
                    }
                }
            }
        }
        #expect(
            Set(steps.values) == [
                [.agentJobPending, .agentJobStarted, .agentJobEnded], [.agentJobPending, .agentJobEnded],
            ])
        #expect(steps.count > 10)
    }

    @Test func `an agent with a job is in a room under its name`() {
        var agents: [String: String] = [:]
        var joined = 0
        for fact in OfficeTests.afternoon(guests: .all).flatMap(\.facts) {
            switch fact {
            case .jobStarted(let id, let agent, _): agents["agent-\(id)"] = agent
            case .joined(let visitor) where visitor.kind == .agent:
                #expect(agents[visitor.identity] == visitor.agentName)
                joined += 1
            default: break
            }
        }
        #expect(joined >= agents.count && agents.count > 10)
        #expect(Set(agents.values).isSuperset(of: ["notes", ""]))
    }

    @Test func `an old server tells no job and no reason of a room's end, but its agents are there`() {
        let webhooks = OfficeTests.afternoon(guests: .all, server: .old)
        #expect(Set(webhooks.map(\.event)).isDisjoint(with: Self.jobs))
        var agents = 0
        for fact in webhooks.flatMap(\.facts) {
            if case .roomClosed(_, _, let reason) = fact { #expect(reason == nil) }
            if case .joined(let visitor) = fact, visitor.kind == .agent { agents += 1 }
        }
        #expect(agents > 10)
    }

    @Test func `in some days there is every direction, status and most reasons`() {
        var directions: Set<CallDirection> = []
        var reasons: [DisconnectReason: Int] = [:]
        var aborted: Set<DisconnectReason> = []
        var roomEnds: Set<RoomEndReason> = []
        var statuses: Set<Egress.Status> = []
        var jobs: Set<AgentJob.Status> = []
        var codes: Set<Int> = []
        var retries = 0
        for fact in (UInt64(1)...24).flatMap({ OfficeTests.afternoon(seed: $0, guests: .all) }).flatMap(\.facts) {
            switch fact {
            case .joined(let visitor) where visitor.kind == .sip: directions.insert(visitor.direction)
            case .left(_, _, _, let reason): reasons[reason, default: 0] += 1
            case .aborted(_, let reason): aborted.insert(reason)
            case .roomClosed(_, _, let reason?): roomEnds.insert(reason)
            case .recordingEnded(let recording):
                statuses.insert(recording.status)
                codes.insert(recording.errorCode)
                retries += recording.retryCount
            case .jobEnded(let job): jobs.insert(job.status)
            default: break
            }
        }
        #expect(directions == Set(CallDirection.allCases))
        #expect(
            Set(reasons.keys).isSuperset(of: [
                .client_initiated, .duplicate_identity, .connection_timeout, .media_failure, .room_deleted,
                .user_unavailable,
            ]))
        #expect(reasons.count >= 10)
        let all = reasons.values.reduce(0, +)
        #expect((reasons[.client_initiated] ?? 0) * 2 > all)
        #expect(aborted.isSuperset(of: [.join_failure, .sip_trunk_failure]))
        #expect(roomEnds.isSuperset(of: [.idle_timeout, .api_delete]))
        #expect(statuses == [.complete, .failed, .aborted, .limitReached])
        #expect(jobs == [.success, .failed, .cancelled])
        #expect(codes.isSuperset(of: [412, 413]) && codes.count >= 4)
        #expect(retries > 0)
    }
}
