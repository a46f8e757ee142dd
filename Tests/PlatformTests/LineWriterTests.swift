import Glibc
import Platform
import TestSupport
import Testing
import Wire

/// The writer with every kind of reader: nobody waits for it, no line is torn, and lost lines are reported.
@Suite struct LineWriterTests {
    private let folder = TemporaryFolder()
    private let pipe: NamedPipe
    private let time = SystemTime()
    /// The length of a line with its line feed.
    private static let line_bytes = 100

    init() throws {
        // `Signals.block` does the same in the program.
        signal(SIGPIPE, SIG_IGN)
        pipe = try NamedPipe(folder.file("pipe"))
    }

    private static func line(_ number: Int) -> [UInt8] {
        let text = "line \(number) "
        return Array((text + String(repeating: "x", count: line_bytes - 1 - text.utf8.count) + "\n").utf8)
    }

    private func numbers(_ lines: [String]) -> [Int] {
        lines.compactMap { line in
            let words = line.split(separator: " ")
            return words.first == "line" && line.utf8.count == Self.line_bytes - 1 ? Int(words[1]) : nil
        }
    }

    private func writer(_ file: Int32, capacity_bytes: Int = LineWriter.Limits.buffer_bytes) -> LineWriter {
        LineWriter(to: file, name: "test", capacity_bytes: capacity_bytes) { Array("lost \($0)\n".utf8) }
    }

    private func end(_ writer: LineWriter) -> Bool {
        writer.close(by: Waits.end, patience: Waits.limit)
    }

    // MARK: A reader that does not read

    @Test(arguments: [0, O_NONBLOCK])
    func `nobody waits for a pipe that nobody reads, and what is lost is counted and told once`(_ mode: Int32) throws {
        let file = try pipe.writer(mode)
        defer { close(file) }
        pipe.fill()
        let writer = writer(file, capacity_bytes: 10_000)
        for number in 0..<1_000 { writer.write(Self.line(number)) }
        // The writer keeps at most what fits into the buffer, and one piece more.
        #expect(writer.dropped > 800)
        #expect(fcntl(file, F_GETFL) & O_NONBLOCK == mode, "whoever shares the descriptor keeps its mode")

        #expect(eventually { accounted(pipe.lines) == 1_000 })
        for number in 1_000..<1_003 { writer.write(Self.line(number)) }
        #expect(end(writer))
        let lines = pipe.lines
        #expect(accounted(lines) == 1_003, "each gap is told where lines are missing")
        #expect(numbers(lines).suffix(3) == [1_000, 1_001, 1_002])
        // One loss is reported where the thread took a piece while lines came in, and one at the end.
        #expect((1...2).contains(lines.count { $0.hasPrefix("lost") }))
        #expect(writer.dropped == 1_003 - numbers(lines).count)
    }

    /// The number of lines, from the first on, that are there in order or are reported as lost.
    private func accounted(_ lines: [String]) -> Int {
        var next = 0
        for line in lines {
            let words = line.split(separator: " ")
            guard words.count >= 2, let number = Int(words[1]) else { return next }
            if words[0] == "lost" {
                next += number
            } else {
                guard number == next else { return next }
                next += 1
            }
        }
        return next
    }

    @Test func `an end does not wait for a reader that takes nothing, and says so`() throws {
        let file = try pipe.writer()
        defer { close(file) }
        pipe.fill()
        let writer = writer(file)
        for number in 0..<10 { writer.write(Self.line(number)) }
        #expect(!writer.flush(by: time.monotonic()))
        #expect(writer.dropped == 0)
        #expect(!writer.close(by: Waits.end, patience: .milliseconds(1)))
        writer.write(Self.line(10))
        #expect(eventually { writer.dropped == 11 })
    }

    @Test func `an end waits for a slow reader as long as it takes something`() throws {
        let file = try pipe.writer()
        defer { close(file) }
        pipe.fill()
        let writer = writer(file)
        for number in 0..<2_000 { writer.write(Self.line(number)) }
        let ended = Monitor(Bool?.none)
        let ending = NamedThread(name: "ending") {
            let isWhole = writer.close(by: Waits.end, patience: Waits.limit)
            ended.change { $0 = isWhole }
        }
        #expect(eventually { numbers(pipe.lines).count == 2_000 })
        ending.join()
        #expect(ended.withLock { $0 } == true)
        #expect(numbers(pipe.lines) == Array(0..<2_000))
    }

    @Test func `a terminal that stands still holds nobody, and gets every line when it goes on`() throws {
        // https://man7.org/linux/man-pages/man2/ioctl_tty.2.html: TIOCSPTLCK, TIOCGPTN.
        let master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        var (lock, number): (Int32, UInt32) = (0, 0)
        try #require(ioctl(master, 0x4004_5431, &lock) == 0 && ioctl(master, 0x8004_5430, &number) == 0)
        let file = open("/dev/pts/\(number)", O_WRONLY | O_NOCTTY | O_CLOEXEC)
        try #require(file >= 0)
        defer { close(file) }
        var mode = termios()
        tcgetattr(file, &mode)
        cfmakeraw(&mode)
        tcsetattr(file, TCSANOW, &mode)
        let writer = writer(file)
        for number in 0..<2_000 { writer.write(Self.line(number)) }
        #expect(writer.dropped == 0)
        #expect(!writer.flush(by: time.monotonic()), "a terminal holds less than 200 kB")
        _ = fcntl(master, F_SETFL, O_NONBLOCK)
        var content: [UInt8] = []
        let hasAll = eventually {
            var piece = [UInt8](repeating: 0, count: 65_536)
            let count = read(master, &piece, piece.count)
            if count > 0 { content.append(contentsOf: piece[..<count]) }
            return content.count >= 2_000 * Self.line_bytes
        }
        #expect(hasAll)
        #expect(content == (0..<2_000).flatMap(Self.line))
        // The terminal hung up: what is written now fails, and closing does not wait.
        close(master)
        // A process that another test starts now has a copy of every descriptor until it runs its program.
        let hasHungUp = eventually {
            var entry = pollfd(fd: file, events: 0, revents: 0)
            return poll(&entry, 1, 0) == 1 && entry.revents & Int16(POLLHUP) != 0
        }
        #expect(hasHungUp)
        writer.write(Self.line(2_000))
        #expect(end(writer))
        #expect(writer.dropped == 1)
    }

    // MARK: A reader that is gone

    @Test func `a reader that is gone costs lines, and a new one is told how many`() throws {
        let file = try pipe.writer()
        defer { close(file) }
        let writer = writer(file)
        writer.write(Self.line(0))
        #expect(eventually { numbers(pipe.lines) == [0] })
        pipe.abandon()
        for number in 1..<50 { writer.write(Self.line(number)) }
        #expect(writer.flush(by: Waits.end, patience: Waits.limit))
        #expect(writer.dropped == 49)
        try pipe.adopt()
        writer.write(Self.line(50))
        #expect(end(writer))
        #expect(pipe.lines.dropFirst() == ["lost 49", String(decoding: Self.line(50).dropLast(), as: UTF8.self)])
    }

    @Test func `a line that a dying reader tore does not tear the next one`() throws {
        let file = try pipe.writer()
        defer { close(file) }
        let writer = writer(file)
        // The text is longer than a pipe holds, so a part of it is in the pipe when the reader goes.
        writer.write([UInt8](repeating: UInt8(ascii: "y"), count: 200_000) + [UInt8(ascii: "\n")])
        let holdsSome = eventually {
            var waiting: Int32 = 0
            _ = ioctl(file, UInt(FIONREAD), &waiting)
            return waiting > 10_000
        }
        #expect(holdsSome)
        pipe.abandon()
        #expect(writer.flush(by: Waits.end, patience: Waits.limit))
        try pipe.adopt()
        writer.write(Self.line(1))
        #expect(eventually { numbers(pipe.lines) == [1] })
        #expect(end(writer))
        let lines = pipe.lines
        #expect(lines.count == 3 && lines[0].allSatisfy { $0 == "y" } && lines[1] == "lost 1")
    }

    @Test(arguments: ["/dev/full", "/dev/null", ""])
    func `a descriptor that takes nothing, everything, or is none`(_ path: String) {
        let file = path.isEmpty ? -1 : open(path, O_WRONLY | O_CLOEXEC)
        defer { if file >= 0 { close(file) } }
        let writer = writer(file)
        for number in 0..<5_000 {
            writer.write(Self.line(number))
            if number % 500 == 0 { writer.flush(by: Waits.end, patience: Waits.limit) }
        }
        #expect(end(writer))
        #expect(writer.dropped == (path == "/dev/null" ? 0 : 5_000))
    }

    // MARK: Whole lines in order

    @Test func `the lines of each thread arrive whole and in order, also a very long one`() throws {
        let file = try pipe.writer()
        defer { close(file) }
        let writer = writer(file, capacity_bytes: 16 << 20)
        let threads = (0..<4).map { thread in
            NamedThread(name: "producer") {
                for number in 0..<1_000 {
                    writer.write(Self.line(number * 4 + thread))
                    if number == 500 {
                        let long = [UInt8](repeating: UInt8(ascii: "a") + UInt8(thread), count: 100_000)
                        writer.write(long + [UInt8(ascii: "\n")])
                    }
                }
            }
        }
        #expect(eventually { pipe.lines.count == 4_004 })
        for thread in threads { thread.join() }
        #expect(end(writer))
        let found = numbers(pipe.lines)
        for thread in 0..<4 { #expect(found.filter { $0 % 4 == thread } == (0..<1_000).map { $0 * 4 + thread }) }
        #expect(Set(pipe.lines.filter { $0.utf8.count == 100_000 }.map { Set($0) }).count == 4)
    }

    @Test func `what others write to the same pipe is never mixed into a line`() throws {
        let file = try pipe.writer()
        let other = try pipe.writer()
        defer { for file in [file, other] { close(file) } }
        let writer = writer(file, capacity_bytes: 16 << 20)
        let stranger = NamedThread(name: "stranger") {
            let words = Array("somebody else says something\n".utf8)
            for _ in 0..<5_000 { _ = write(other, words, words.count) }
        }
        let producer = NamedThread(name: "producer") {
            for number in 0..<5_000 { writer.write(Self.line(number)) }
        }
        #expect(eventually { pipe.lines.count == 10_000 })
        producer.join()
        stranger.join()
        #expect(end(writer))
        #expect(numbers(pipe.lines) == Array(0..<5_000))
        #expect(pipe.lines.count { $0 == "somebody else says something" } == 5_000)
    }
}
