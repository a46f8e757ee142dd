import Glibc
import Platform
import Storage

/// `lkpush report`: reads the usage of a month from the database, and prints it.
///
/// It changes nothing, and needs no other part of lkpush: neither its state nor its metrics, nor LiveKit.
enum UsageCommand {
    /// Why no report can be made: a sentence for the user.
    private struct ReportError: Error, CustomStringConvertible {
        let description: String
    }

    /// Returns the exit status.
    static func run(_ options: UsageOptions, _ environment: [String: String]) -> Int32 {
        var reader = SettingsReader(environment)
        let place = DatabasePlace(&reader)
        for warning in reader.warnings { say("warning: \(warning)") }
        guard reader.problems.isEmpty else {
            for problem in reader.problems { say(problem) }
            return Program.Status.configuration
        }
        let report: UsageReport
        do {
            report = try read(place, options)
        } catch {
            say("no report: \(Check.plain("\(error)"))\(advice(on: error))")
            return Program.Status.failed
        }
        let text =
            switch options.format {
            case .table: report.table
            case .csv: report.csv
            case .json: report.json
            }
        guard Terminal.write(text) else {
            say("the report cannot be written: \(SystemError("write", "standard output"))")
            return Program.Status.failed
        }
        // Where a program reads the output, what a person should know goes beside it.
        if options.format == .csv {
            if report.organizations.isEmpty { say("note: Nothing was used in \(report.month.title).") }
            for note in report.notes { say("note: \(note)") }
        }
        return Program.Status.done
    }

    private static func read(_ place: DatabasePlace, _ options: UsageOptions) throws -> UsageReport {
        let location = try StoreDriver.location(of: place.location())
        if let file = location.file, !Folder.exists(file) {
            throw ReportError(
                description: "\(location) is not there. Set STATE_DIR or DATABASE_URL to what the server has")
        }
        let store = ApplicationStore(try location.look())
        defer { store.close() }
        let obstacles = try store.usageReportObstacles()
        guard obstacles.isEmpty else { throw ReportError(description: sentences(about: obstacles, location)) }
        let now = SystemTime().now()
        return UsageReport(try store.usage(of: options.month(at: now)), of: options.organizations, at: now)
    }

    /// Returns a sentence with the likely cure of an error of the database; empty if there is none.
    private static func advice(on error: any Error) -> String {
        guard let error = error as? StoreError else { return "" }
        return switch error.code {
        case "14", "266":
            ". Run it as the user whom the server runs as, and see that DATABASE_URL or STATE_DIR names the server's"
        case "26": ". DATABASE_URL names a file that is no database of SQLite"
        case "1", "42703":
            ". A table has other columns than lkpush needs: lkpush check, with the server's settings, names them"
        default: ""
        }
    }

    private static func sentences(about obstacles: UsageReportObstacles, _ location: StoreDriver.Location) -> String {
        var sentences: [String] = []
        if !obstacles.missingTables.isEmpty {
            sentences.append(
                "\(location) lacks \(obstacles.missingTables.joined(separator: ", ")): run lkpush migrate with "
                    + "the server's settings, or start the server once, as a role that may create tables")
        }
        if !obstacles.grants.isEmpty {
            sentences.append(
                "the role may not read all tables: run as their owner: \(obstacles.grants.joined(separator: " "))")
        }
        return sentences.joined(separator: ". ")
    }

    private static func say(_ text: String) { Terminal.printError("lkpush report: \(text)\n") }
}
