import Foundation
import Glibc
import Platform
import TestSupport
import Testing

/// `deploy/install` puts lkpush where a Debian machine expects it, and takes it away again.
@Suite struct InstallTests {
    private let folder = TemporaryFolder()
    private let program = "usr/local/bin/lkpush"
    private let settings = "etc/lkpush/lkpush.env"
    private let manual = "usr/local/share/man/man1/lkpush.1.gz"
    private let unit = "usr/local/lib/systemd/system/lkpush.service"
    private let bashCompletion = "usr/local/share/bash-completion/completions/lkpush"
    private let zshCompletion = "usr/local/share/zsh/site-functions/_lkpush"

    private func install(_ arguments: [String]) -> (status: Int32, output: String) {
        Deployed.run("install", arguments, ["DESTDIR": folder.path])
    }

    private func bytes(_ path: String) throws -> [UInt8] { try FileStore.read(folder.file(path), limit: 256 << 20) }

    private func mode(_ path: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: folder.file(path))[.posixPermissions] as? Int
    }

    @Test func `all is in its place and works, an upgrade keeps the settings, and nothing is left behind`() throws {
        let first = install([Deployed.program])
        try #require(first.status == 0, "\(first.output)")
        let all = [program, settings, manual, unit, bashCompletion, zshCompletion].sorted()
        #expect(try Deployed.files(below: folder.path) == all)
        #expect(first.output.split(separator: "\n").sorted() == all.map { folder.file($0)[...] })
        for path in all { #expect(try mode(path) == (path == program ? 0o755 : path == settings ? 0o600 : 0o644)) }

        let page = ChildProcess.run(
            "/usr/bin/man", ["--warnings", "-E", "UTF-8", "-P", "cat", "-l", folder.file(manual)],
            environment: ["PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "MANROFFOPT": "-c"])
        #expect(page.status == 0 && page.output.contains("lkpush check") && !page.output.contains("warning"))
        for (shell, script) in [
            ("/bin/bash", "source \(folder.file(bashCompletion)) && complete -p lkpush"),
            ("/usr/bin/zsh", "autoload -U compinit && compinit -u -D && source \(folder.file(zshCompletion))"),
        ] {
            let sourced = ChildProcess.run(shell, ["-c", script])
            #expect(sourced.status == 0 && !sourced.output.contains("rror"), "\(shell): \(sourced.output)")
        }

        // The program of the first installation runs while a second one replaces it.
        let running = try ChildProcess(
            folder.file(program), ["serve"], environment: BuiltProgram.environment(folder), output: folder.file("log"))
        let changed = try bytes(settings) + Array("REGION=eu\n".utf8)
        try FileStore.replace(folder.file(settings), with: changed)
        let second = install([Deployed.program])
        #expect(second.status == 0 && !second.output.contains(settings), "\(second.output)")
        #expect(try all.allSatisfy(Deployed.files(below: folder.path).contains) && bytes(settings) == changed)
        #expect(
            eventually { (try? String(contentsOfFile: folder.file("log"), encoding: .utf8))?.contains("ready") == true }
        )
        #expect(running.end(with: SIGTERM) == 0)
        for name in ["log", "state"] { try FileManager.default.removeItem(atPath: folder.file(name)) }

        try FileStore.makeDirectory(folder.file("var"))
        try FileStore.makeDirectory(folder.file("var/lib"))
        try FileStore.makeDirectory(folder.file("var/lib/lkpush"))
        let removed = install(["--uninstall"])
        #expect(removed.status == 0 && removed.output.contains("kept    \(folder.file(settings)), which was changed"))
        #expect(removed.output.contains("kept    \(folder.file("var/lib/lkpush")), the state"))
        #expect(try Deployed.files(below: folder.path) == [settings] && bytes(settings) == changed)
        #expect(FileManager.default.fileExists(atPath: folder.file("var/lib/lkpush")))

        // Settings that are still those of the example go too.
        try FileStore.replace(folder.file(settings), with: FileStore.read(Deployed.folder + "systemd/lkpush.env"))
        #expect(install(["--uninstall"]).status == 0)
        #expect(try Deployed.files(below: folder.path).isEmpty)
        #expect(!FileManager.default.fileExists(atPath: folder.file("etc/lkpush")))
        let nothing = install(["--uninstall"])
        #expect(nothing.status == 0 && !nothing.output.contains("removed"))
    }

    @Test func `a package has everything below usr, and its unit starts that program`() throws {
        // Any program will do that prints something.
        let made = install(["--prefix=/usr/", "/bin/echo"])
        try #require(made.status == 0, "\(made.output)")
        #expect(
            try Deployed.files(below: folder.path) == [
                settings, "usr/bin/lkpush", "usr/lib/systemd/system/lkpush.service",
                "usr/share/bash-completion/completions/lkpush", "usr/share/man/man1/lkpush.1.gz",
                "usr/share/zsh/vendor-completions/_lkpush",
            ])
        let unit = try String(
            contentsOfFile: folder.file("usr/lib/systemd/system/lkpush.service"), encoding: .utf8)
        #expect(unit.contains("\nExecStart=/usr/bin/lkpush serve\n"))
    }

    @Test func `wrong arguments change nothing, and help says all of them`() throws {
        for (arguments, status, words) in [
            (["--prefix"], 64, "--prefix needs a folder"), (["--prefix", "usr", "/bin/echo"], 64, "a path from /"),
            (["--prefix", "/opt/my folder", "/bin/echo"], 64, "a path from /"),
            (["--start"], 64, "--start: unknown"), (["/bin/echo", "/bin/echo"], 64, "one program is enough"),
            (["--uninstall", "/bin/echo"], 64, "takes no program"), (["/bin/false"], 1, "/bin/false does not run"),
            (["--help"], 0, "--uninstall"),
        ] as [([String], Int32, String)] {
            let ended = install(arguments)
            #expect(ended.status == status && ended.output.contains(words), "\(arguments): \(ended.output)")
        }
        #expect(try Deployed.files(below: folder.path).isEmpty)
    }
}
