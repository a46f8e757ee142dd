import Glibc
import Synchronization

/// A small file of 64-bit words. A word that was stored is there after the process died of whatever cause, though not
/// after the machine did.
///
/// The file is mapped, so that storing a word is no system call. A mapped write that finds no room ends the process. So
/// the room is taken before, and only file systems that write a file in place are mapped: others may need room for each
/// write, and get a system call for each word instead.
///
/// `@unchecked Sendable`: `words` points to the mapping of this object alone until `deinit`. All access to it is atomic.
/// `file` is never changed.
package final class LastingWords: @unchecked Sendable {
    /// The number of words: one page.
    package static let count = 512
    private static let size_bytes = count * MemoryLayout<Int64>.size
    /// The file systems that are mapped, by their names in the kernel. An overlay is mostly over one of the others.
    private static let inPlace: Set<Substring> = ["ext2", "ext3", "ext4", "xfs", "tmpfs", "overlay"]

    private let file: Int32
    /// Nil where the file is not mapped.
    private let words: UnsafeMutablePointer<Atomic<Int64>>?

    /// Opens the file, or makes it with zeros. A file of another size is made anew.
    package init(path: String) throws(SystemError) {
        let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw SystemError("open", path) }
        do throws(SystemError) {
            try Self.takeRoom(in: file, path)
            words = try Self.isInPlace(file) ? Self.map(file, path) : nil
        } catch {
            close(file)
            throw error
        }
        self.file = file
    }

    deinit {
        if let words { munmap(words, Self.size_bytes) }
        close(file)
    }

    /// Writes what the file has, or zeros, so that it has a block of its own even where it was copied with a hole.
    private static func takeRoom(in file: Int32, _ path: String) throws(SystemError) {
        var bytes = [UInt8](repeating: 0, count: size_bytes + 1)
        let count = pread(file, &bytes, bytes.count, 0)
        guard count >= 0 else { throw SystemError("read", path) }
        if count != size_bytes {
            bytes = [UInt8](repeating: 0, count: size_bytes)
            guard ftruncate(file, 0) == 0 else { throw SystemError("truncate", path) }
        }
        let written = pwrite(file, bytes, size_bytes, 0)
        guard written >= 0 else { throw SystemError("write", path) }
        guard written == size_bytes else { throw SystemError("write", path, code: ENOSPC) }
    }

    /// Asks the kernel on which mount the file is, and of which kind that is.
    /// https://www.kernel.org/doc/html/latest/filesystems/proc.html
    private static func isInPlace(_ file: Int32) -> Bool {
        // Without an answer the file is written with system calls, which always works.
        guard let info = try? FileStore.read("/proc/self/fdinfo/\(file)"),
            let mounts = try? FileStore.read("/proc/self/mountinfo", limit: 16 << 20)
        else { return false }
        let mount = String(decoding: info, as: UTF8.self).split(separator: "\n").lazy
            .compactMap { $0.hasPrefix("mnt_id:") ? $0.split(separator: "\t").last : nil }.first
        guard let mount else { return false }
        for line in String(decoding: mounts, as: UTF8.self).split(separator: "\n") {
            let fields = line.split(separator: " ")
            // A lone hyphen ends the optional fields. The kind follows it.
            guard fields.first == mount, let end = fields.firstIndex(of: "-") else { continue }
            return end + 1 < fields.endIndex && inPlace.contains(fields[end + 1])
        }
        return false
    }

    private static func map(_ file: Int32, _ path: String) throws(SystemError) -> UnsafeMutablePointer<Atomic<Int64>> {
        let address = mmap(nil, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0)
        guard let address, address != MAP_FAILED else { throw SystemError("mmap", path) }
        // `Atomic<Int64>` has the layout of `Int64`, and any bits are an `Int64`.
        return address.bindMemory(to: Atomic<Int64>.self, capacity: count)
    }

    /// The word at a place; 0 where it cannot be read. Any thread may ask for it.
    package func load(_ place: Int) -> Int64 {
        precondition(place >= 0 && place < Self.count, "a place outside of the file")
        if let words { return words[place].load(ordering: .relaxed) }
        var word: Int64 = 0
        let count = pread(file, &word, MemoryLayout<Int64>.size, off_t(place * MemoryLayout<Int64>.size))
        return count == MemoryLayout<Int64>.size ? word : 0
    }

    /// Stores a word. Where that fails the file keeps what it has. Any thread may call it; it allocates nothing.
    package func store(_ word: Int64, at place: Int) {
        precondition(place >= 0 && place < Self.count, "a place outside of the file")
        if let words { return words[place].store(word, ordering: .relaxed) }
        var word = word
        _ = pwrite(file, &word, MemoryLayout<Int64>.size, off_t(place * MemoryLayout<Int64>.size))
    }

    /// The first bytes of a text, eight in each word.
    package static func words(of text: String, count: Int) -> [Int64] {
        var words = [Int64](repeating: 0, count: count)
        for (index, byte) in text.utf8.prefix(count * 8).enumerated() {
            words[index / 8] = words[index / 8] << 8 | Int64(byte)
        }
        return words
    }
}
