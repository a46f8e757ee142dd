import HTTPServing
import Platform

/// The part of `lkpush check` about the addresses that lkpush listens on.
extension Check {
    /// Takes each address for a moment, as the start would, and gives it back.
    ///
    /// - Parameter holder: the process that uses the state folder, whose addresses are in use, as they should be.
    static func addresses(_ settings: Settings, holder: String?, _ report: inout CheckReport) {
        var first: ListenAddress?
        for (name, text) in [("LISTEN", settings.listen), ("METRICS_LISTEN", settings.metricsListen)] {
            do throws(ServingError) {
                let address = try ListenAddress(text)
                if let first, address.port == first.port, address.port != 0,
                    address.host == first.host || [address.host, first.host].contains(where: isEveryAddress)
                {
                    report.tell(
                        .fault, "address",
                        "\(name)=\(text): LISTEN takes this port already. Set one of the two to another port; LISTEN and "
                            + "METRICS_LISTEN need one each")
                    continue
                }
                first = address
                _ = try AddressTrial(address)
                report.tell(.ok, "address", "\(name)=\(text) is free")
            } catch {
                if case .addressInUse = error, let holder {
                    report.tell(
                        .ok, "address", "\(name)=\(text) is in use, as it should be while lkpush runs (\(holder))")
                } else {
                    report.tell(.fault, "address", "\(name)=\(text): \(error). \(cure(error, name))")
                }
            }
        }
    }

    private static func isEveryAddress(_ host: String) -> Bool { ["", "0.0.0.0", "::"].contains(host) }

    private static func cure(_ error: ServingError, _ name: String) -> String {
        switch error {
        case .addressInUse(let address):
            let port = address.split(separator: ":").last ?? ""
            return
                "Stop that program (ss -tnap 'sport = :\(port)' shows it), or set \(name) to another port"
        case .notPermitted: return "Set \(name) to a port from 1024 on, or give lkpush that right"
        case .noSuchAddress, .badAddress: return "Set \(name) to an address of this machine, such as 0.0.0.0:3001"
        case .system, .library: return "Set \(name) to another address"
        }
    }
}
