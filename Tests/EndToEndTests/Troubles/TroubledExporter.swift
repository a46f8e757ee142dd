import Glibc
import TestSupport

/// The built program in a trouble of its own, with a LiveKit that sends it webhooks. Its job has the trouble's name.
final class TroubledExporter {
    let job: String
    let folder: TemporaryFolder
    let program: MortalExporter
    let livekit: WebhookFlow
    private let environment: [String: String]

    /// Intervals with which a trouble shows soon.
    static let short = [
        "PUSH_INTERVAL": "500ms", "IDLE_PUSH_INTERVAL": "500ms", "REMOTE_WRITE_TIMEOUT": "2s",
        "REMOTE_WRITE_MIN_BACKOFF": "200ms", "REMOTE_WRITE_MAX_BACKOFF": "500ms",
    ]

    /// Starts the program and its webhooks.
    ///
    /// - Parameters:
    ///   - receiver: the address that it pushes to.
    ///   - watch: the address of a second destination, called `watch`.
    ///   - intervals: those of pushing, which are short unless told otherwise. Empty for those of a real lkpush.
    ///   - start: variables that only the server gets.
    ///   - room: the room that its webhooks tell of.
    init(
        _ job: String, to receiver: String, watch: String? = nil, _ changes: [String: String] = [:],
        intervals: [String: String] = TroubledExporter.short, start: [String: String] = [:], room: String = "office",
        folder: TemporaryFolder = TemporaryFolder()
    ) throws {
        self.job = job
        self.folder = folder
        environment = [
            "JOB": job, "INSTANCE": "\(job)-1", "GRAFANA_PROM_REMOTE_WRITE_URL": receiver,
        ].merging(intervals) { $1 }.merging(
            watch.map { ["REMOTE_WRITE_DESTINATIONS": "watch", "REMOTE_WRITE_DESTINATION_WATCH_URL": $0] } ?? [:]
        ) {
            $1
        }.merging(changes) { $1 }
        program = MortalExporter(folder, environment)
        try program.startAndWait(start)
        livekit = WebhookFlow(to: program.webhooks, .init(room: room))
    }

    /// What `lkpush check` says, with the settings of this program, after these words of a command line.
    func check(_ words: [String] = []) -> String {
        let all = BuiltProgram.environment(folder).merging(environment) { $1 }
        let command = words + [BuiltProgram.executable, "check"]
        return ChildProcess.run(command[0], Array(command.dropFirst()), environment: all).output
    }

    /// The log lines that contain this text.
    func logged(_ text: String) -> [Substring] { program.output.split(separator: "\n").filter { $0.contains(text) } }
}
