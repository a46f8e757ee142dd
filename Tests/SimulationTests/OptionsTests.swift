import HTTPServing
import Platform
import Simulation
import Testing

@Suite struct OptionsTests {
    private static let environment = ["LIVEKIT_API_KEY": "key", "LIVEKIT_API_SECRET": "secret"]

    private static func problems(_ arguments: [String], _ environment: [String: String] = environment) -> [String] {
        do throws(SimulateOptions.ArgumentFault) {
            _ = try SimulateOptions(arguments: arguments, environment: environment)
            return []
        } catch {
            return error.sentences
        }
    }

    @Test func `what is not given has a default`() throws {
        let options = try SimulateOptions(arguments: [], environment: Self.environment)
        #expect("\(options.url)" == "http://127.0.0.1:3001/webhook")
        #expect(options.size == OfficeSize(guests: .all))
        #expect(options.size.server == .new)
        #expect(options.speed == 60)
        #expect(options.day == 1)
        #expect(options.lost == 0 && options.api == nil && options.lies == [])
        #expect(options.key == "key")
        #expect(options.secret.exposed == "secret")
    }

    @Test func `every flag is taken, with a blank or an equals sign`() throws {
        let options = try SimulateOptions(
            arguments: [
                "--url", "https://metrics.example.com/hooks/livekit", "--orgs=5", "--rooms", "6", "--users=7",
                "--duration", "8h", "--speed", "0.5", "--seed=9", "--connections", "10", "--end", "open", "--key", "k",
                "--secret=a=b", "--day=4", "--lose", "0.2%", "--api=:0", "--lie", "cut-list, stale-reads",
                "--server=old",
            ], environment: [:])
        #expect("\(options.url)" == "https://metrics.example.com/hooks/livekit")
        #expect(options.size.organizations == 5)
        #expect(options.size.rooms == 6)
        #expect(options.size.users == 7)
        #expect(options.size.length == .seconds(8 * 3_600))
        #expect(options.size.ending == .open)
        #expect(options.size.server == .old)
        #expect(options.speed == 0.5)
        #expect(options.seed == 9)
        #expect(options.day == 4)
        #expect(options.connections == 10)
        #expect(options.lost == 0.002)
        #expect(options.api?.description == ":0")
        #expect(options.lies == [.cutList, .staleReads])
        #expect(options.secret.exposed == "a=b")
    }

    @Test func `a bare address gets the path of the webhook`() throws {
        for text in ["http://host:1", "http://host:1/"] {
            let options = try SimulateOptions(arguments: ["--url", text], environment: Self.environment)
            #expect("\(options.url)" == "http://host:1/webhook")
        }
    }

    @Test func `all problems are named at once`() {
        let found = Self.problems(
            ["--orgs", "0", "--speed", "-1", "--nonsense", "3", "stray", "--duration", "1y", "--end"], [:])
        #expect(
            found == [
                "--nonsense: no such flag. See lkpush simulate --help",
                "stray: expected a flag. See lkpush simulate --help",
                "--end: needs a value",
                "--orgs 0: expected a whole number from 1 to 100000",
                "--duration 1y: expected a time of 1s to 31d, such as 90s, 15m or 8h",
                "--speed -1: expected a number above 0, at most 100000",
                "no API key: give --key or set LIVEKIT_API_KEY",
                "no API secret: set LIVEKIT_API_SECRET or give --secret",
            ])
    }

    @Test func `a share, an address of the API and its lies are checked`() {
        #expect(
            Self.problems(["--lose", "2", "--api", "7880", "--lie", "ghost-room,nonsense"]) == [
                "--lose 2: expected a share from 0 to 1, such as 0.002 or 0.2%",
                "--api 7880: expected host:port, such as 127.0.0.1:7880 or :0",
                "--lie ghost-room: expected a list of ghost-rooms, empty-list, stale-count, missing-rejoined, "
                    + "orphaned-egress, stale-reads, cut-list. Did you mean ghost-rooms?",
                "--lie nonsense: expected a list of ghost-rooms, empty-list, stale-count, missing-rejoined, "
                    + "orphaned-egress, stale-reads, cut-list.",
            ])
        #expect(Self.problems(["--lose", "nan%"]).count == 1)
        #expect(Self.problems(["--lie", "cut-list"]) == ["--lie: needs --api, which is what lies"])
    }

    @Test func `a wrong address is named`() {
        #expect(Self.problems(["--url", "ftp://x"]).count == 1)
        #expect(Self.problems(["--url", "host:3001"]).count == 1)
    }

    @Test func `the secret is in no description`() throws {
        let options = try SimulateOptions(arguments: ["--secret", "very-secret"], environment: Self.environment)
        #expect(!"\(options)".contains("very-secret"))
    }
}
