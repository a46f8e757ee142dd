import CPostgres

/// Parameters of a URL that other clients of PostgreSQL know and libpq does not. All of them are named at once, each
/// with a replacement. No value is ever quoted, and no name that may be a part of a password.
enum ForeignParameters {
    /// The advice for a parameter.
    private enum Advice {
        /// Write this instead.
        case write(String)
        /// Leave it out, for this reason.
        case leaveOut(String)
    }

    private static let pool = Advice.leaveOut("lkpush has one connection")
    private static let statements = Advice.leaveOut("lkpush prepares its statements; PgBouncer works in session mode")
    private static let schema = Advice.write("options=-csearch_path%3DSCHEMA")

    /// The advice by name in lower case. Sources:
    /// https://www.prisma.io/docs/orm/overview/databases/postgresql#arguments
    /// https://jdbc.postgresql.org/documentation/use/
    /// https://pkg.go.dev/github.com/jackc/pgx/v5/pgxpool#ParseConfig
    private static let advice: [String: Advice] = [
        "schema": schema, "search_path": schema, "searchpath": schema, "currentschema": schema,
        "schema_search_path": schema,
        "connection_limit": pool, "pool_timeout": pool, "single_use_connections": pool, "pool": pool, "pool_size": pool,
        "max": pool, "min": pool, "max_connections": pool, "maxpoolsize": pool, "minpoolsize": pool,
        "max_overflow": pool, "pool_max_conns": pool, "pool_min_conns": pool, "pool_max_conn_lifetime": pool,
        "pool_max_conn_idle_time": pool, "pool_health_check_period": pool, "idle_timeout": pool, "conn_max_age": pool,
        "idletimeoutmillis": pool, "checkout_timeout": pool, "pooling": pool,
        "pgbouncer": statements, "statement_cache_size": statements, "prepared_statement_cache_size": statements,
        "statement_cache_capacity": statements, "description_cache_capacity": statements,
        "preparethreshold": statements,
        "default_query_exec_mode": statements, "prefer_simple_protocol": statements, "binary_parameters": statements,
        "prepared_statements": statements, "prepare": statements,
        "sslaccept": .write("sslmode=verify-full for strict, sslmode=require for accept_invalid_certs"),
        "ssl": .write("sslmode=require, sslmode=verify-full or sslmode=disable"), "tls": .write("sslmode=require"),
        "sslidentity": .write("sslcert=FILE&sslkey=FILE with PEM files"), "sslca": .write("sslrootcert=FILE"),
        "sslfactory": .write("sslmode=require"), "encrypt": .write("sslmode=require"),
        "uselibpqcompat": .leaveOut("sslmode means what libpq says"),
        "connecttimeout": .write("connect_timeout=SECONDS"), "logintimeout": .write("connect_timeout=SECONDS"),
        "connectiontimeoutmillis": .write("connect_timeout=SECONDS"), "timeout": .write("connect_timeout=SECONDS"),
        "socket_timeout": .leaveOut("every statement has its deadline"),
        "sockettimeout": .leaveOut("every statement has its deadline"),
        "command_timeout": .leaveOut("every statement has its deadline"),
        "query_timeout": .leaveOut("every statement has its deadline"),
        "statement_timeout": .write("options=-cstatement_timeout%3DMILLISECONDS"),
        "lock_timeout": .write("options=-clock_timeout%3DMILLISECONDS"),
        "idle_in_transaction_session_timeout": .leaveOut("no transaction is left idle"),
        "timezone": .leaveOut("lkpush sets its own"), "applicationname": .write("application_name=NAME"),
        "tcpkeepalive": .write("keepalives=1"), "targetservertype": .write("target_session_attrs=read-write"),
        "encoding": .leaveOut("lkpush speaks UTF-8"), "charset": .leaveOut("lkpush speaks UTF-8"),
        "database": .write("dbname=NAME"), "username": .write("user=NAME"),
    ]

    /// The values of `sslmode`. https://www.postgresql.org/docs/current/libpq-ssl.html
    private static let modes = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]

    /// The fault in the parameters of a URL. Nil if libpq knows all of them.
    static func problem(in url: String) -> String? {
        guard let query = query(of: url) else { return nil }
        let known = keywords()
        var faults: [String] = []
        var mayBePassword = query.mayBePassword
        for part in query.text.split(separator: "&", omittingEmptySubsequences: false) {
            let name = decoded(part.prefix { $0 != "=" })
            let value = part.drop { $0 != "=" }.dropFirst()
            if part.contains("="), known.contains(name) || (name == "ssl" && value == "true") {
                // If a password holds a bare &, its rest looks like the name of the next parameter.
                if name.contains("password") { mayBePassword = true }
                if name == "sslmode", let fault = fault(inMode: decoded(value)) { faults.append(fault) }
            } else {
                faults.append(fault(name, isWhole: part.contains("="), mayBePassword, known))
            }
        }
        return faults.isEmpty ? nil : "libpq cannot read its parameters: " + faults.joined(separator: "; ")
    }

    private static func fault(_ name: String, isWhole: Bool, _ mayBePassword: Bool, _ known: Set<String>) -> String {
        switch advice[name.lowercased()] {
        case .write(let instead)?: return "\(name) is another client's, write \(instead) instead"
        case .leaveOut(let why)?: return "\(name) is another client's, leave it out: \(why)"
        case nil: break
        }
        guard isWhole, !mayBePassword, isName(name) else {
            return "one that libpq does not know, not shown as it may be a part of a password; "
                + "in values write & as %26, @ as %40"
        }
        let alike = known.first { $0.lowercased() == name.lowercased() }
        return "\(name) is none that libpq knows" + (alike.map { ", write \($0)" } ?? ", correct it or leave it out")
    }

    private static func fault(inMode mode: String) -> String? {
        if modes.contains(mode) { return nil }
        return "sslmode is none of \(modes.joined(separator: ", "))"
            + (mode == "no-verify" ? "; write sslmode=require, which verifies nothing" : "")
    }

    // MARK: Parsing

    /// The text behind the `?`. `mayBePassword` is true if it may hold a part of the user's password: libpq looks for
    /// the end of that up to the first `@` or `/`.
    private static func query(of url: String) -> (text: Substring, mayBePassword: Bool)? {
        let rest = url.drop { $0 != "/" }.dropFirst(2)
        let user = rest.prefix { $0 != "@" && $0 != "/" }
        let hasUser = rest.dropFirst(user.count).first == "@"
        let place = hasUser ? rest.dropFirst(user.count + 1) : rest
        guard let mark = place.firstIndex(of: "?") else { return nil }
        let query = place[mark...].dropFirst()
        return query.isEmpty ? nil : (query, !hasUser && query.contains("@"))
    }

    private static func isName(_ text: String) -> Bool {
        text.utf8.count <= 64 && text.unicodeScalars.first?.properties.isAlphabetic == true
            && text.utf8.allSatisfy {
                (0x61...0x7A).contains($0) || (0x41...0x5A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F
                    || $0 == 0x2D || $0 == 0x2E
            }
    }

    /// Resolves percent escapes. Other percent signs stay.
    private static func decoded(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2,
                let code = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(code)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The parameters that this libpq knows. Wraps `PQconninfoParse` with an empty text.
    private static func keywords() -> Set<String> {
        let options = PQconninfoParse("", nil)
        defer { PQconninfoFree(options) }
        var names: Set<String> = []
        guard var option = options else { return names }
        while let keyword = option.pointee.keyword {
            names.insert(String(cString: keyword))
            option += 1
        }
        return names
    }
}
