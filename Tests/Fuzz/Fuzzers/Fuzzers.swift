import CFuzzer
import Glibc
import Platform

/// All of them; to add one, name it here and make its folder in `Corpus`.
enum Fuzzers {
    static let all: [any Fuzzer.Type] = [
        EventFuzzer.self, TokenFuzzer.self, SettingsFuzzer.self, ExpositionFuzzer.self, RecorderFuzzer.self,
        RemoteWriteFuzzer.self, ProtobufFuzzer.self, AddressFuzzer.self, StateFuzzer.self, ResponseFuzzer.self,
        SpoolFuzzer.self,
    ]

    /// The one that runs: libFuzzer's callback has no context.
    static let chosen: any Fuzzer = {
        // In the environment, because libFuzzer starts the program again with its own arguments alone.
        if let name = CommandLine.arguments.dropFirst().first, all.contains(where: { $0.name == name }) {
            setenv("FUZZER", name, 1)
        }
        let name = getenv("FUZZER").map { String(cString: $0) }
        guard let type = all.first(where: { $0.name == name }) else {
            print("usage: Fuzzers NAME [--show FILE | what libFuzzer takes]")
            print(all.map { $0.name }.joined(separator: " "))
            exit(64)
        }
        return type.init()
    }()

    static func main() -> Int32 {
        if CommandLine.arguments.count == 4, CommandLine.arguments[2] == "--show" {
            return show(CommandLine.arguments[3])
        }
        _ = chosen
        // The name is ours; the rest is libFuzzer's.
        var words = CommandLine.arguments.filter { word in !all.contains { $0.name == word } }.map { strdup($0) }
        var count = Int32(words.count)
        words.append(nil)
        return words.withUnsafeMutableBufferPointer { words in
            var start = words.baseAddress
            return LLVMFuzzerRunDriver(&count, &start) { data, size in
                Fuzzers.chosen.run([UInt8](UnsafeBufferPointer(start: data, count: size)))
                return 0
            }
        }
    }

    private static func show(_ path: String) -> Int32 {
        do throws(SystemError) {
            let shown = chosen.show(try FileStore.read(path)) ?? []
            try FileStore.writeAll(shown, to: STDOUT_FILENO, named: "standard output")
            return 0
        } catch {
            print(error)
            return 66
        }
    }
}
