package import Platform

/// The spool of a destination: the samples that wait for its receiver on disk. The defaults are in `Settings`.
package struct SpoolSettings: Sendable, Equatable {
    /// The folder of the file.
    package var directory: String
    /// The bytes of samples beyond which the oldest are dropped.
    package var maxBytes: ByteCount
    /// The age beyond which samples are dropped: a receiver would refuse them.
    package var maxAge: Duration

    package init(directory: String, maxBytes: ByteCount, maxAge: Duration) {
        self.directory = directory
        self.maxBytes = maxBytes
        self.maxAge = maxAge
    }
}
