import Glibc
package import Platform

/// The label `instance`: the configured name, or the host name of the first start. That is kept in the state folder, so
/// that a pod with a new name goes on with the old series.
package enum InstanceName {
    /// The name in use. If the folder cannot keep it, the host name is used and not remembered.
    package static func resolve(configured: String, stateDirectory: String, log: Log) -> String {
        if !configured.isEmpty { return configured }
        let path = stateDirectory + "/instance"
        // The file is absent at the first start.
        if let kept = try? FileStore.read(path, limit: 4_096) {
            let name = String(decoding: kept, as: UTF8.self).filter { !$0.isNewline }
            if !name.isEmpty { return name }
        }
        let host = host
        do throws(SystemError) {
            try FileStore.replace(path, with: Array((host + "\n").utf8))
        } catch {
            log.warning("the instance name is not remembered", ["error": .text(error), "instance": .string(host)])
        }
        return host
    }

    /// The host name. Wraps `gethostname`.
    package static var host: String {
        var buffer = [CChar](repeating: 0, count: 256)
        gethostname(&buffer, buffer.count - 1)
        let name = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return name.isEmpty ? "localhost" : name
    }
}
