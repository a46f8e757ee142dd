import Platform
import RemoteWrite
import Wire

// The spool of the destination: its file, the room for it, and the log lines about it.

extension ShipperWorker {
    /// The newest time in the spool that an earlier process left. Nil if there is none.
    var newestSpooled: Timestamp? {
        guard let contents = spoolContents else { return nil }
        return (contents.blocks + contents.batches).map(\.newest).max()
    }

    private var path: String? {
        settings.spool.map { SpoolFile.path(directory: $0.directory, destination: settings.destination) }
    }

    // MARK: Opening and closing

    /// Opens the spool that an earlier process left, if there is one.
    func openSpoolOfEarlierProcess() {
        guard let path, SpoolFile.exists(at: path) else { return }
        do throws(SpoolError) {
            spoolContents = try open(path).contents
        } catch {
            tell(error)
            let now = time.monotonic()
            formerSpoolWait = (now + FormerLimits.patience, now + FormerLimits.again)
        }
    }

    private enum FormerLimits {
        /// Another program, such as a backup, may have locked the file for a moment. Nothing is sent meanwhile, since no
        /// receiver takes older samples after later ones.
        static let patience = Duration.seconds(60)
        static let again = Duration.seconds(1)
    }

    /// Tries to open the spool of an earlier process again. Returns the time of the next attempt; nil if requests may
    /// begin.
    func awaitFormerSpool() -> MonotonicTime? {
        guard let wait = formerSpoolWait, let path else { return nil }
        let now = time.monotonic()
        guard now >= wait.next else { return wait.next }
        do throws(SpoolError) {
            spoolContents = try open(path).contents
            formerSpoolWait = nil
            if table.lastReading != nil { restoreSpool() }
        } catch {
            tell(error)
            formerSpoolWait = now < wait.until ? (wait.until, now + FormerLimits.again) : nil
        }
        return formerSpoolWait?.next
    }

    private func open(_ path: String) throws(SpoolError) -> SpoolFile {
        let opened = try SpoolFile(path: path, now: time.now())
        spool = opened
        for note in opened.notes {
            log.warning(
                "the spool was damaged: what could be read of it is used, the rest is lost; see whether the disk has errors",
                ["note": .string(note)])
        }
        metrics.note(damagedRows: opened.contents.damagedRows)
        return opened
    }

    /// Passes on what an earlier process left. The series of this process are known by now.
    func restoreSpool() {
        guard let contents = spoolContents else { return }
        spoolContents = nil
        spool?.forgetContents()
        delivery.restore(consume contents, &table)
        Heap.giveBack()
        isSpoolingTold = true
        log.info(
            "samples of an earlier process wait in the spool and are sent first",
            ["samples": .int(delivery.statistics.spoolSamples), "spool_bytes": .int(delivery.spooled_bytes)])
    }

    /// The open spool, which is made if there is none.
    private func openSpool() throws(SpoolError) -> SpoolFile {
        if let spool { return spool }
        guard let path else { preconditionFailure("only a destination with a spool uses it") }
        let opened = try open(path)
        let former = opened.contents.blocks + opened.contents.batches
        guard !former.isEmpty else { return opened }
        // An earlier process left them, and they could not be read at the start. Later samples were sent meanwhile, so no
        // receiver would take them.
        let lost = former.reduce(0) { $0 + $1.count }
        log.error(
            """
            samples are lost: the spool of an earlier process could not be opened at the start, and later samples were \
            sent meanwhile; see the lines about the spool
            """, ["lost": .int(lost)])
        delivery.giveUp(opened.contents)
        opened.remove()
        return try open(path)
    }

    /// True if the file was closed after an error.
    private var isSpoolClosed: Bool { spool.map { !$0.isOpen } ?? false }

    /// Opens the file anew. What it has lost is counted.
    private func reopenSpool() {
        guard let path else { return }
        do throws(SpoolError) {
            let opened = try open(path)
            delivery.reconcile(with: opened.contents, &table)
            opened.forgetContents()
        } catch {
            tell(error)
        }
    }

    /// Closes the file at a stop. An empty one is removed. One of an earlier process that no reading has come after stays
    /// as it is.
    func closeSpool() {
        if delivery.statistics.spoolSamples == 0 && spoolContents == nil { spool?.remove() } else { spool?.close() }
        spool = nil
    }

    // MARK: Orders

    /// Does what the delivery asks of the spool, and gives it the answer.
    func perform(_ order: SpoolOrder) {
        // The order may be about what a closed file has lost. The delivery learns that first.
        let answer = isSpoolClosed && !order.isRemoval ? .failed : answer(to: order)
        delivery.take(answer, at: time.monotonic(), &table)
        if isSpoolClosed { reopenSpool() }
        tellProgress()
    }

    private func answer(to order: SpoolOrder) -> SpoolAnswer {
        do throws(SpoolError) {
            let answer = try carryOut(order)
            spoolFault = ""
            return answer
        } catch {
            tell(error)
            return .failed
        }
    }

    private func carryOut(_ order: SpoolOrder) throws(SpoolError) -> SpoolAnswer {
        switch order {
        case .commit(let commit):
            try openSpool().commit(commit)
            return .done
        case .readBlocks(let numbers):
            let file = try openSpool()
            var blocks: [PackedBlock?] = []
            for number in numbers { blocks.append(try file.block(number)) }
            return .blocks(blocks)
        case .readBatch(let number): return .batch(try openSpool().batch(number))
        case .remove:
            if spool == nil, let path { SpoolFile.discard(path) }
            spool?.remove()
            spool = nil
            return .done
        }
    }

    /// Puts all that waits into the spool, until the deadline.
    func fillSpool(until deadline: MonotonicTime) {
        delivery.beginStop()
        noteRoom()
        while time.monotonic() < deadline, let order = delivery.spoolOrder(at: time.monotonic(), &table) {
            perform(order)
        }
    }

    // MARK: Room

    /// Tells the delivery how large the spool may grow on its file system.
    func noteRoom() {
        guard let settings = settings.spool, let space = Folder.space(of: settings.directory) else { return }
        let file_bytes = spool?.size_bytes ?? 0
        // The log of the file grows before the file shrinks.
        let most =
            file_bytes + space.free_bytes - SpoolFile.reserve_bytes(total: space.size_bytes)
            - SpoolFile.Limits.log_bytes
        // The delivery knows it before anything waits: a late request has it write at once. A spool shrinks by a quarter at
        // each reading, so a disk that is full for a moment does not cost all of it.
        delivery.note(room_bytes: max(0, most, most < delivery.spooled_bytes ? bytesAtTick / 4 * 3 : 0))
        let isReached =
            delivery.isSpooling && most < settings.maxBytes.bytes && delivery.spooled_bytes + file_bytes / 8 >= most
        metrics.note(isReserveReached: isReached)
        isReserveReached = isReached
        guard isReached else { return }
        log.throttled(
            .warning, every: .seconds(300),
            """
            the file system has no room for the spool, which leaves the last 10 % of it, at least 128 MiB, to the journal: \
            what waits for the receiver is kept for less long, and in memory only in the end; make room
            """, ["free_bytes": .int(space.free_bytes), "spool_bytes": .int(delivery.spooled_bytes)])
        // Removed rows leave room in the file. The file system gets it back if there is enough of it.
        if let spool, spool.isOpen, file_bytes > 2 * delivery.spooled_bytes + 2 * SpoolFile.Limits.log_bytes {
            do throws(SpoolError) { try spool.shrink() } catch { tell(error) }
        }
    }

    // MARK: Telling

    private func tell(_ error: SpoolError) {
        spoolFault = error.description
        log.throttled(
            .error, every: .seconds(60), by: error.kind.rawValue,
            """
            the spool cannot be used: samples wait for the receiver in memory only, and are lost at a restart or when it is \
            full; make room on the disk, or mend STATE_DIR
            """, ["error": .text(error)])
    }

    /// Logs that the spool is used, and that it is empty again.
    private func tellProgress() {
        if delivery.isSpooling {
            guard !isSpoolingTold, delivery.spooled_bytes > 0 else { return }
            isSpoolingTold = true
            log.throttled(.info, "the receiver does not take samples in time: they wait in the spool")
            // The first commit had every series.
            Heap.giveBack()
        } else if isSpoolingTold {
            isSpoolingTold = false
            log.throttled(.info, "the spool is empty: the receiver has all that waited")
            Heap.giveBack()
        }
    }

    /// Logs how long the spool lasts at the first reading, and keeps the metric for it up to date.
    func tellSpoolLasts(samples: Int) {
        // Whoever plans with it needs no more than the first digit.
        guard let spool = settings.spool, samples > 0, abs(samples - toldSamples) > toldSamples / 10 else { return }
        let room = SpoolRoom(directory: spool.directory, destinations: [settings.destination])
        let estimate = settings.estimate(samples: samples, room: room)
        guard let disk = estimate.disk else { return }
        metrics.note(spoolLasts: disk.lasts)
        spoolLasts = disk.lasts
        let isFirst = toldSamples == 0
        toldSamples = samples
        guard isFirst else { return }
        log.info(
            "while the receiver is away, samples wait in the spool",
            [
                "samples": .int(samples), "lasts_ms": .milliseconds(disk.lasts),
                "max_bytes": .int(spool.maxBytes.bytes), "max_age_ms": .milliseconds(spool.maxAge),
            ])
    }
}
