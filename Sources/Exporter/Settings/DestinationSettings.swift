package import HTTPClient
package import Platform
package import RemoteWrite
import Shipper

/// A place that metrics are pushed to, as it was configured: one property and one line of `init` for each row of
/// `DestinationVariables`.
///
/// The variables of `default` hold for every destination that does not set its own, where they say how something is
/// sent: `MESSAGE` and `TLS_CA_FILE`. What says *who* sends belongs to one receiver and never goes to another: user,
/// password, token, client certificate, and headers, which hold tenants and tokens.
package struct DestinationSettings: Sendable {
    package let name: String
    /// Nil if it is not set, or wrong.
    package let url: EndpointURL?
    package let username: String
    package let password: SecretSource?
    package let bearerToken: SecretSource?
    /// Pairs such as `X-Scope-OrgID=tenant`.
    package let headers: SecretSource?
    package let message: MessageChoice
    /// PEM files; empty if not set.
    package let authorityFile: String
    package let certificateFile: String
    package let keyFile: String
    /// Globs over the names of families.
    package let include: [String]
    package let exclude: [String]

    var variables: DestinationVariables { DestinationVariables(of: name) }

    /// Reads a destination. The rules are the same for all.
    /// - Parameter standard: the destination `default`; nil if this is it.
    init(_ reader: inout SettingsReader, _ name: String, like standard: DestinationSettings?) {
        self.name = name
        let names = DestinationVariables(of: name)
        url = Self.url(&reader, names, name)
        username = reader.text(
            names.username, "", as: .token, "User of basic authentication: in Grafana Cloud the instance id.")
        password = reader.secretText(names.password, "Password of basic authentication: a token that may write.")
        bearerToken = reader.secretText(names.bearerToken, "Instead of user and password.")
        headers = Self.headers(&reader, names)
        message = reader.choice(
            names.message, standard?.message ?? .auto,
            names.isOfStandard
                ? "Version of the remote-write message; `auto` begins with 2.0 and falls back to 1.0 where the receiver "
                    + "needs it." : "Default REMOTE_WRITE_MESSAGE.")
        authorityFile = reader.text(
            names.authorityFile, standard?.authorityFile ?? "",
            names.isOfStandard
                ? "Own certificate authorities, PEM, instead of the system's."
                : "Default REMOTE_WRITE_TLS_CA_FILE; the system's file, where that is set and not meant.")
        certificateFile = reader.text(names.certificateFile, "", "Client certificate, PEM.")
        keyFile = reader.text(names.keyFile, "", "Key of the client certificate, PEM.")
        include = names.include.map { Self.globs(&reader, $0, "The only metrics that it gets, by globs.") } ?? []
        exclude =
            names.exclude.map { Self.globs(&reader, $0, "Metrics that it does not get, beside METRICS_EXCLUDE.") } ?? []
        check(&reader)
    }

    // MARK: The rules of single settings

    private static func url(
        _ reader: inout SettingsReader, _ names: DestinationVariables, _ name: String
    ) -> EndpointURL? {
        let text = reader.text(
            names.url, "", as: .token,
            names.isOfStandard
                ? "Where to push, such as https://…/api/prom/push. Empty: no destination `default`."
                : "Where to push. Required for each name.")
        guard !text.isEmpty else {
            if !names.isOfStandard {
                reader.report(
                    "\(names.url): required with \(name) in REMOTE_WRITE_DESTINATIONS, such as "
                        + "https://host/api/v1/push")
            }
            return nil
        }
        // A text that is no URL may be a password in the wrong variable, so it is not quoted.
        guard let url = EndpointURL(text) else {
            reader.report("\(names.url): expected a URL such as https://host/api/prom/push")
            return nil
        }
        // A query may hold a token.
        reader.showLast(as: text.contains("?") ? "\(url)?••••" : "\(url)")
        if text.dropFirst(8).prefix(while: { $0 != "/" && $0 != "?" }).contains("@") {
            reader.report("\(names.url): holds a user or password; use \(names.username) and \(names.password)")
            return nil
        }
        return url
    }

    /// The text of further headers for requests.
    private static func headers(_ reader: inout SettingsReader, _ names: DestinationVariables) -> SecretSource? {
        let source = reader.secretText(names.headers, "More headers, such as `X-Scope-OrgID=tenant`.")
        // A file that cannot be read was reported when the setting was read.
        guard let secret = try? source?.read() else { return source }
        do throws(ShipperSettings.HeadersFault) {
            _ = try ShipperSettings.headers(secret)
        } catch {
            reader.report("\(names.headers): \(error)")
        }
        return source
    }

    /// Globs over the names of families of metrics.
    static func globs(_ reader: inout SettingsReader, _ name: String, _ help: String) -> [String] {
        let globs: [String] = reader.value(
            name, "", help, fallback: [], expected: "globs such as lkpush_http_*,process_*"
        ) { text in
            let globs = text.split(separator: ",").map { PlainText.trimmed($0) }.filter { !$0.isEmpty }
            return globs.isEmpty ? nil : globs
        }
        for glob in globs {
            do throws(FamilySelection.GlobFault) {
                try FamilySelection.check(glob)
            } catch {
                reader.report("\(name): \"\(PlainText.shown(glob))\" \(error)")
            }
        }
        return globs
    }

    // MARK: The rules of several settings

    private func check(_ reader: inout SettingsReader) {
        let names = variables
        if password != nil && bearerToken != nil {
            reader.report("\(names.bearerToken): \(names.password) is set too: give one")
        }
        if (password != nil) != !username.isEmpty {
            reader.report("\(names.username) and \(names.password): give both or none")
        }
        if username.contains(":") {
            reader.report("\(names.username): holds a colon, which no user name of basic authentication may")
        }
        // Secrets and files that cannot be read were reported, or are not used.
        if let token = try? bearerToken?.read().exposed, token.contains(where: \.isWhitespace) {
            reader.report("\(names.bearerToken): holds a blank; give the token alone, without the word Bearer")
        }
        if certificateFile.isEmpty != keyFile.isEmpty {
            reader.report("\(names.certificateFile) and \(names.keyFile): give both or none")
        }
        let files = [
            (names.authorityFile, authorityFile), (names.certificateFile, certificateFile), (names.keyFile, keyFile),
        ]
        // A file that comes from `default` was reported there.
        for (name, path) in files where reader.isSet(name) && !path.isEmpty {
            do throws(SystemError) {
                _ = try FileStore.read(path)
            } catch {
                reader.report("\(name): \(error)")
            }
        }
    }
}

// MARK: - Use

extension DestinationSettings {
    /// True if something is set that only this receiver may get.
    var hasCredentials: Bool {
        !username.isEmpty || password != nil || bearerToken != nil || headers != nil || !certificateFile.isEmpty
    }

    /// The families that are pushed there.
    /// - Parameter excluded: globs of what no destination gets.
    package func selection(excluding excluded: [String]) -> FamilySelection {
        FamilySelection(including: include, excluding: excluded + exclude)
    }

    /// Writes what this destination has for itself into the settings of a shipper.
    func apply(to shipper: inout ShipperSettings) throws(ShipperSettings.HeadersFault) {
        shipper.destination = name
        if !variables.isOfStandard { shipper.remoteName = name }
        if let password { shipper.credentials = .basic(user: username, password: password) }
        if let bearerToken { shipper.credentials = .bearer(bearerToken) }
        switch headers {
        case .value(let pairs)?: shipper.headers = try ShipperSettings.headers(pairs)
        case let file: shipper.headersFile = file
        }
        shipper.delivery.message = message
        shipper.authorityFile = authorityFile.isEmpty ? nil : authorityFile
        shipper.certificateFile = certificateFile.isEmpty ? nil : certificateFile
        shipper.keyFile = keyFile.isEmpty ? nil : keyFile
    }

    /// The account that samples go to: two destinations with equal ones refuse each other's samples.
    private enum Account: Equatable {
        case tenant(String)
        case user(String)
        case token(Secret)
    }

    /// Nil if it is not known, because a file cannot be read.
    private var account: Account? {
        // Files that cannot be read were reported.
        if let headers {
            guard let pairs = try? headers.read(), let all = try? ShipperSettings.headers(pairs) else { return nil }
            if let tenant = all.first(where: { $0.name.lowercased() == "x-scope-orgid" }) {
                return .tenant(tenant.value)
            }
        }
        guard let bearerToken else { return .user(username) }
        guard let token = try? bearerToken.read() else { return nil }
        return .token(token)
    }

    /// True if both push to the same address as the same user or tenant.
    func pushesTheSamePlace(as other: DestinationSettings) -> Bool {
        guard let url, url.exposed == other.url?.exposed, let account else { return false }
        return account == other.account
    }
}
