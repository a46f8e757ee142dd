package import Wire

/// A change of a spool: one transaction, done as a whole or not at all.
package struct SpoolCommit: Sendable {
    /// Series that the spool does not hold yet. Blocks and batches name series by their rows.
    package var series: [SpooledSeries] = []
    /// Samples that no request holds yet, at the end of the spool.
    package var blocks: [SpooledBlock] = []
    /// The samples of requests. One with a number that is there already replaces it.
    package var batches: [SpooledBatch] = []
    /// The numbers of blocks and batches that the spool does not need any more.
    package var removedBlocks: [Int64] = []
    package var removedBatches: [Int64] = []
    /// The new facts about requests. Nil if they are as before.
    package var requests: SpooledRequests?
    /// True if the change must survive a loss of power. Otherwise it survives the end of the process.
    package var isDurable = true

    package init() {}

    package var isEmpty: Bool {
        series.isEmpty && blocks.isEmpty && batches.isEmpty && removedBlocks.isEmpty && removedBatches.isEmpty
            && requests == nil
    }
}

/// Samples in the spool that no request holds yet. A block has the samples of one reading or of several.
package struct SpooledBlock: Sendable {
    /// Its place in the spool. Numbers rise with the time of the samples.
    package let number: Int64
    package let samples: PackedBlock

    package init(number: Int64, samples: PackedBlock) {
        self.number = number
        self.samples = samples
    }
}

/// The samples of one request in the spool.
package struct SpooledBatch: Sendable {
    /// Its place among the requests of its shard.
    package let number: Int64
    package let shard: Int
    package let samples: PackedBlock

    package init(number: Int64, shard: Int, samples: PackedBlock) {
        self.number = number
        self.shard = shard
        self.samples = samples
    }
}

/// The facts that a spool knows of the requests that were made of it.
package struct SpooledRequests: Sendable, Equatable {
    /// The number of shards that the batches are divided among.
    package var shards: Int
    /// The message that the receiver gets. Nil if that is not known.
    package var message: Message?
    /// The address that the message is known for, without its secret parts.
    package var endpoint: String

    package init(shards: Int, message: Message?, endpoint: String) {
        self.shards = shards
        self.message = message
        self.endpoint = endpoint
    }
}

/// The content of a spool when it is opened. The samples stay on disk.
package struct SpoolContents: Sendable, Equatable {
    /// A block or a batch without its samples.
    package struct Header: Sendable, Equatable {
        package let number: Int64
        /// The shard of a batch; 0 for a block.
        package let shard: Int
        /// The number of samples.
        package let count: Int
        /// The times of its oldest and its newest sample.
        package let oldest: Timestamp
        package let newest: Timestamp
        /// The bytes that its samples take.
        package let bytes: Int

        package init(number: Int64, shard: Int, count: Int, oldest: Timestamp, newest: Timestamp, bytes: Int) {
            self.number = number
            self.shard = shard
            self.count = count
            self.oldest = oldest
            self.newest = newest
            self.bytes = bytes
        }
    }

    package var series: [SpooledSeries] = []
    /// Both in the order of their numbers.
    package var blocks: [Header] = []
    package var batches: [Header] = []
    package var requests: SpooledRequests?
    /// Rows that could not be read, and are gone, and the samples that are known to have been in them.
    package var damagedRows = 0
    package var damagedSamples = 0

    package init() {}
}
