import Foundation
import TestSupport
import Testing

/// `deploy/compose.yaml` and `deploy/Dockerfile`, as the programs read them that they are for.
struct DeployFiles: Decodable {
    /// A stack of containers.
    struct Stack: Decodable {
        let services: [String: Container]
        let volumes: [String: [String: String]]
        let networks: [String: [String: Bool]]
    }

    struct Container: Decodable {
        let image: String
        let environment: [String: String]?
        let volumes: [String]
        let ports: [String]?
        let command: [String]?
        let healthcheck: HealthCheck
        let readOnly: Bool
        let capDrop: [String]
        let securityOpt: [String]
        let restart: String
        let networks: [String]?
        let dependsOn: [String: [String: String]]?
        let stopGracePeriod: String?
        let deploy: Deployment
    }

    struct HealthCheck: Decodable {
        let test: [String]
    }

    struct Deployment: Decodable {
        struct Resources: Decodable {
            let limits: [String: String]
        }

        let resources: Resources
    }

    /// An instruction of a Dockerfile.
    struct Instruction: Decodable {
        let name: String
        let flags: [String]
        let values: [String]
        /// True for the form of a list, which needs no shell.
        let isExec: Bool
    }

    let compose: Stack
    let dockerfile: [Instruction]

    static func read() throws -> DeployFiles {
        let python = try #require(Deployed.python, "LKPUSH_TEST_PYTHON must name a Python with Tests/requirements.txt")
        let result = ChildProcess.run(
            python,
            [
                "-B", Repository.root + "/Tests/Deploy/read.py", Deployed.folder + "compose.yaml",
                Deployed.folder + "Dockerfile",
            ])
        try #require(result.status == 0, "\(result.output)")
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(DeployFiles.self, from: Data(result.output.utf8))
    }

    /// The instructions of the last stage.
    var image: ArraySlice<Instruction> {
        dockerfile[(dockerfile.lastIndex { $0.name == "FROM" } ?? dockerfile.endIndex)...]
    }

    /// The values of an instruction of the last stage.
    func image(_ name: String) -> [String] { image.filter { $0.name == name }.flatMap(\.values) }

    /// The variables that the image sets.
    var imageEnvironment: [String: String] { Self.pairs(image("ENV")) }

    /// The pairs of a list of names and values, which the parser leaves in their quotes.
    static func pairs(_ values: [String]) -> [String: String] {
        var pairs: [String: String] = [:]
        for index in stride(from: 0, to: values.count - 1, by: 2) {
            pairs[values[index]] = values[index + 1].trimmingCharacters(in: ["\""])
        }
        return pairs
    }
}
