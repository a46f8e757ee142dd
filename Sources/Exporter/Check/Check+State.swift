import Glibc
import JournalSQLite
import Platform
import Wire

/// The part of `lkpush check` about `STATE_DIR`.
extension Check {
    /// Looks whether the state folder can be used, or made. Returns which process uses it; nil if none does.
    static func state(_ settings: Settings, _ report: inout CheckReport) -> String? {
        let directory = settings.stateDirectory
        let me = UserName.text(geteuid())
        guard Folder.exists(directory) else {
            if errno == EACCES {
                report.tell(
                    .fault, "state",
                    "\(directory) cannot be looked at: permission denied for \(me), as which lkpush check runs; run it as "
                        + "the user of the service, or open the folders above it")
                return nil
            }
            missing(directory, me, &report)
            return nil
        }
        if let trouble = folderTrouble(directory, me) {
            report.tell(.fault, "state", trouble)
            return nil
        }
        let holder = StateLock.holder(of: directory)
        if isJournalDamaged(in: directory) {
            report.tell(
                .fault, "state",
                "\(directory)/journal.db is damaged: it does not begin as a file of SQLite does. The next start moves it "
                    + "aside, begins the counters at zero and loses rows that waited. Look whether the disk has errors, and "
                    + "put the file back first if you have a copy of the whole folder")
            return holder
        }
        let owner = FileOwner(of: directory)
        if let owner, owner.user != geteuid() {
            if geteuid() == 0 {
                seenByRoot(directory, owner, holder, &report)
                return holder
            }
            report.tell(
                .flaw, "state",
                "\(directory) belongs to \(UserName.text(owner.user)), and this is \(me): lkpush as another user than its "
                    + "owner leaves files that the owner cannot read. Run it as \(UserName.text(owner.user)), or give the "
                    + "folder to its user: chown -R USER \(directory)")
        }
        report.tell(
            .ok, "state", "\(directory) can be written\(holder.map { ", and is used by \($0)" } ?? "")")
        return holder
    }

    /// A journal that has something in it begins with the words that each file of SQLite begins with.
    /// https://www.sqlite.org/fileformat.html#magic_header_string
    private static func isJournalDamaged(in directory: String) -> Bool {
        let words = Array("SQLite format 3\0".utf8)
        let file = open("\(directory)/journal.db", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return false }
        defer { close(file) }
        var head = [UInt8](repeating: 0, count: words.count)
        let count = read(file, &head, head.count)
        return count > 0 && (count < words.count || head != words)
    }

    /// Root may write everywhere, and usually looks for the user of the service, such as systemd's `DynamicUser`. So the
    /// question is whether the owner of the folder can work in it.
    private static func seenByRoot(
        _ directory: String, _ owner: FileOwner, _ holder: String?, _ report: inout CheckReport
    ) {
        let user = UserName.text(owner.user)
        // A folder that root cannot read has been reported.
        let files = ((try? Folder.names(directory)) ?? []).map { "\(directory)/\($0)" }
        let stray = ([directory] + files).first { file in
            FileOwner(of: file).map { $0.user != owner.user || !$0.mayWrite } ?? false
        }
        if let stray {
            report.tell(
                .flaw, "state",
                "\(stray) cannot be written by \(user), to whom \(directory) belongs. Perhaps lkpush ran as another user "
                    + "there. Give all of it to one user: chown -R USER \(directory)")
        } else {
            report.tell(
                .ok, "state",
                "\(directory) belongs to \(user), who can write it\(holder.map { ", and is used by \($0)" } ?? ""). Run "
                    + "lkpush as that user: as root it leaves files that the user cannot write")
        }
    }

    private static func missing(_ directory: String, _ me: String, _ report: inout CheckReport) {
        let parent = existingParent(of: directory)
        if let trouble = Folder.trouble(of: parent, files: []) {
            report.tell(
                .fault, "state",
                "\(directory) is not there and cannot be made in \(parent) by \(me): \(SystemError.text(of: trouble.code)). "
                    + "Make it and give it to the user of lkpush: mkdir -p \(directory) && chown USER \(directory)")
        } else {
            report.tell(.ok, "state", "\(directory) is not there yet; the start makes it")
        }
    }

    /// Returns a sentence about the reason for which this user cannot work in a folder that exists; nil if there is none.
    private static func folderTrouble(_ directory: String, _ me: String) -> String? {
        let owner = FileOwner(of: directory).map { UserName.text($0.user) } ?? "nobody"
        var files: [String] = []
        do throws(SystemError) {
            files = try Folder.names(directory).map { "\(directory)/\($0)" }
        } catch {
            return "\(directory) cannot be read by \(me): \(SystemError.text(of: error.code)); it belongs to \(owner). "
                + "\(cure(error.code, directory))"
        }
        guard let trouble = Folder.trouble(of: directory, files: files) else { return nil }
        let whose = FileOwner(of: trouble.subject).map { UserName.text($0.user) } ?? owner
        return "\(trouble.subject) cannot be written by \(me): \(SystemError.text(of: trouble.code)); it belongs to "
            + "\(whose). \(cure(trouble.code, directory))"
    }

    private static func cure(_ code: Int32, _ directory: String) -> String {
        switch code {
        case ENOSPC: "Free some of its disk"
        case EROFS: "Mount a volume there that can be written, or set STATE_DIR to one"
        case ENOTDIR: "Set STATE_DIR to a folder, or move that file away"
        default: "Give it to the user of lkpush: chown -R USER \(directory)"
        }
    }

    /// The nearest folder above a path that exists.
    static func existingParent(of path: String) -> String {
        var path = path
        while !Folder.exists(path) {
            while path.hasSuffix("/") { path.removeLast() }
            path = Folder.parent(of: path)
            if path == "." { break }
        }
        return path
    }
}

/// The user to whom a file belongs.
private struct FileOwner {
    let user: uid_t
    /// The owner may write it.
    let mayWrite: Bool

    /// Wraps `stat`. Nil where there is no such file.
    init?(of path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        user = status.st_uid
        mayWrite = status.st_mode & 0o200 != 0
    }
}

/// The names of users.
private enum UserName {
    /// The name and number of a user. Wraps `getpwuid_r`.
    static func text(_ user: uid_t) -> String {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 4_096)
        let code = getpwuid_r(user, &entry, &buffer, buffer.count, &found)
        guard code == 0, let found else { return "user \(user)" }
        return "user \(String(cString: found.pointee.pw_name)) (\(user))"
    }
}
