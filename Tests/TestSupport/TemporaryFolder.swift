import Glibc

/// A new folder for one test, removed when the object goes.
package final class TemporaryFolder: Sendable {
    package let path: String

    package init() {
        var template = Array("/tmp/lkpush-test-XXXXXX".utf8CString)
        let made = mkdtemp(&template)
        precondition(made != nil, "the tests need a writable /tmp")
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        // A folder inside may be given to another user, for a database server that refuses root.
        chmod(path, 0o755)
    }

    deinit {
        let remove = ChildProcess.run("/bin/rm", ["-rf", path])
        assert(remove.status == 0)
    }

    /// The path of `name` in this folder.
    package func file(_ name: String) -> String { path + "/" + name }
}
