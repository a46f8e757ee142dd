import FoundationEssentials
import Platform

/// A headless Chromium, driven by `Tests/StatusPage/session.py`. It reaches loopback alone, and ends with the object.
package final class Chromium {
    /// The browser did not start, or could not do what it was asked to.
    package struct BrowserError: Error, CustomStringConvertible {
        package let description: String
    }

    /// The colors that the user prefers.
    package enum Scheme: String, CaseIterable, Sendable { case light, dark }

    /// A Python that has what `Tests/requirements.txt` lists.
    private static let python = ProcessEnvironment.current["LKPUSH_TEST_PYTHON"]
    /// False on a developer's machine without that Python. In continuous integration it must be there.
    package static let isWanted = python != nil || ProcessEnvironment.current["CI"] == "true"

    private let process: ChildProcess
    private let connection: LoopbackSocket
    private let watch: NamedThread
    private var buffer: [UInt8] = []

    /// Starts a browser. Pictures go to the folder that `LKPUSH_SCREENSHOTS` names.
    package init() throws {
        guard let python = Self.python else { throw BrowserError(description: "LKPUSH_TEST_PYTHON is not set") }
        let listener = try LoopbackSocket.listening()
        let folder = TemporaryFolder()
        let pictures = ProcessEnvironment.current["LKPUSH_SCREENSHOTS"].map { [$0] } ?? []
        let program = Repository.root + "/Tests/StatusPage/session.py"
        // `-B`: the sources stay free of compiled files.
        let process = try ChildProcess(
            python, ["-B", program, String(listener.port)] + pictures,
            environment: ["PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"], output: folder.file("output"))
        // Python may end before it connects: then nobody waits for it any more.
        let watch = NamedThread(name: "browser") {
            _ = process.wait()
            listener.shutdown()
        }
        guard let connection = listener.accepted() else {
            watch.join()
            let output = (try? FileStore.read(folder.file("output"))) ?? []
            throw BrowserError(description: String(decoding: output, as: UTF8.self))
        }
        (self.process, self.connection, self.watch) = (process, connection, watch)
    }

    /// Python closes the browser when the connection ends, and then ends itself.
    deinit {
        connection.shutdown()
        watch.join()
    }

    // MARK: What the user does

    package func open(_ url: String) throws { try tell("open", url) }

    /// Opens a further tab and goes there. Returns its handle.
    package func openTab(_ url: String) throws -> String { try ask("open_tab", url) }

    /// Goes to another tab.
    package func select(_ tab: String) throws { try tell("select", tab) }

    /// Changes the size of the window, in CSS pixels, and its colors.
    package func emulate(width: Int, height: Int = 800, _ scheme: Scheme = .light) throws {
        try tell("emulate", width, height, scheme.rawValue)
    }

    /// Presses a key, by the name that Selenium has for it, such as `ENTER`.
    package func press(_ key: String) throws { try tell("press", key) }

    /// Types a text into what has the focus.
    package func type(_ text: String) throws { try tell("type", text) }

    /// Goes to an element with the tab key alone. Returns false if it does not lead there.
    package func focus(_ selector: String) throws -> Bool { try ask("focus", selector) }

    // MARK: What the user sees

    /// The visible text.
    package func text() throws -> String { try ask("text") }

    /// The result of a script. `arguments[0]` and so on are its arguments.
    package func run<Result: Decodable>(_ script: String, _ arguments: String...) throws -> Result {
        try ask("run", all: [script] + arguments)
    }

    /// Runs a script that has no result.
    package func perform(_ script: String) throws { try tell("run", script) }

    /// Runs a script in every tab.
    package func runInEachTab<Result: Decodable>(_ script: String) throws -> [Result] {
        try ask("in_each_tab", script)
    }

    /// Repeats a script until its result is true. Returns false if it never is.
    package func wait(until script: String, _ arguments: String...) throws -> Bool {
        try ask(
            "wait",
            all: ["return !!(() => { \(script) })(...arguments)"] + [Int(Waits.limit.components.seconds)] + arguments
        )
    }

    /// Waits until this text is visible, in whatever case the page shows it.
    package func wait(forText text: String) throws -> Bool {
        try wait(
            until: "return document.body.innerText.toLowerCase().includes(arguments[0])", text.lowercased())
    }

    /// The text of an open dialog, which is closed.
    package func dialog() throws -> String? { try ask("dialog") }

    /// Writes a picture of the whole page, if pictures are wanted.
    package func screenshot(_ name: String) throws { try tell("screenshot", name) }

    // MARK: What is wrong with it

    /// The addresses that were asked since the last call.
    package func requests() throws -> [String] { try ask("requests") }

    /// Warnings and errors since the last call.
    package func console() throws -> [String] { try ask("console") }

    /// Violations of WCAG 2.2 AA.
    package func accessibility() throws -> [String] { try ask("accessibility") }

    /// Text that is cut, covered or out of sight, and whatever scrolls sideways.
    package func layout() throws -> [String] { try ask("layout") }

    /// What the tab key does not reach, and where the focus is not to be seen.
    package func keyboard() throws -> [String] { try ask("keyboard") }

    // MARK: Asking

    private struct Answer<Result: Decodable>: Decodable {
        let result: Result?
        let error: String?
    }

    private struct Line: Encodable {
        let words: [any Encodable]

        func encode(to encoder: any Encoder) throws {
            var list = encoder.unkeyedContainer()
            for word in words { try list.encode(word) }
        }
    }

    private func tell(_ name: String, _ arguments: any Encodable...) throws {
        let _: String? = try ask(name, all: arguments)
    }

    private func ask<Result: Decodable>(_ name: String, _ arguments: any Encodable...) throws -> Result {
        try ask(name, all: arguments)
    }

    private func ask<Result: Decodable>(_ name: String, all arguments: [any Encodable]) throws -> Result {
        let line = try JSONEncoder().encode(Line(words: [name] + arguments))
        guard connection.write(Array(line) + [UInt8(ascii: "\n")]), let answer = nextLine() else {
            throw BrowserError(description: "\(name): the browser is gone")
        }
        let decoded = try JSONDecoder().decode(Answer<Result>.self, from: Data(answer))
        if let error = decoded.error { throw BrowserError(description: "\(name): \(error)") }
        if let result = decoded.result { return result }
        // Nothing was to be returned, or nothing was found.
        return try JSONDecoder().decode(Result.self, from: Data("null".utf8))
    }

    private func nextLine() -> [UInt8]? {
        while true {
            if let end = buffer.firstIndex(of: UInt8(ascii: "\n")) {
                let line = Array(buffer[..<end])
                buffer.removeFirst(end + 1)
                return line
            }
            let chunk = connection.read(1 << 20)
            if chunk.isEmpty { return nil }
            buffer.append(contentsOf: chunk)
        }
    }
}
