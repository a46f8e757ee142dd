import Glibc
package import Platform

/// The label `instance`: the configured name, or the host name of the first start. That is kept in the state folder, so
/// that a pod with a new name goes on with the old series.
package enum InstanceName {
    /// The name in use. If the folder cannot keep it, the host name is used and not remembered.
    package static func resolve(configured: String, stateDirectory: String, log: Log) -> String {
        if !configured.isEmpty { return configured }
        let path = path(stateDirectory)
        if let name = kept(in: stateDirectory) { return name }
        let host = host
        do throws(SystemError) {
            try FileStore.replace(path, with: Array((host + "\n").utf8))
        } catch {
            log.warning("the instance name is not remembered", ["error": .text(error), "instance": .string(host)])
        }
        return host
    }

    /// The name that `resolve` would return. Nothing is kept.
    package static func glimpse(configured: String, stateDirectory: String) -> String {
        configured.isEmpty ? kept(in: stateDirectory) ?? host : configured
    }

    private static func path(_ stateDirectory: String) -> String { stateDirectory + "/instance" }

    private static func kept(in stateDirectory: String) -> String? {
        // The file is absent before the first start.
        guard let kept = try? FileStore.read(path(stateDirectory), limit: 4_096) else { return nil }
        let name = String(decoding: kept, as: UTF8.self).filter { !$0.isNewline }
        return name.isEmpty ? nil : name
    }

    /// The host name. Wraps `gethostname`.
    package static var host: String {
        var buffer = [CChar](repeating: 0, count: 256)
        gethostname(&buffer, buffer.count - 1)
        let name = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return name.isEmpty ? "localhost" : name
    }
}
