import HTTPServing
import Pipeline
import Platform
import Shipper
import Status
import Synchronization
import Wire

/// Tells what takes memory: the system's view, the allocator's, and the sizes of the tables.
///
/// Any thread may call it. A copy is made at most twice a second.
package final class MemoryReport: Sendable {
    private let plan: Plan
    private let running: RunningParts
    private let time: any TimeSource
    private let copy = Mutex(ServedCopy())

    init(_ plan: Plan, running: RunningParts, time: any TimeSource) {
        self.plan = plan
        self.running = running
        self.time = time
    }

    /// The answer of `/debug/memory`.
    var response: Response {
        copy.withLock { copy in
            let now = time.monotonic()
            return copy.response(at: now) ?? copy.keep(StatusRoutes.json(document.json), at: now)
        }
    }

    /// The document as it is now.
    var document: MemoryStatus {
        var document = MemoryStatus()
        document.now = time.now()
        document.process = ProcessMemory(MemoryUsage.current ?? MemoryUsage(status: ""))
        document.allocator = Heap.statistics.map { AllocatorMemory($0) }
        document.tables =
            plan.intake.tables + (running.tenurePlan?.tables ?? []) + (running.tenure?.destinations?.tables ?? [])
            + (plan.replica?.appendInbox.tables ?? []) + (running.ownDestinations?.tables ?? [])
        return document
    }
}
