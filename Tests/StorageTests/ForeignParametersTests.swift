import Postgres
import Storage
import StoragePostgres
import Testing

/// URLs of other clients of PostgreSQL.
@Suite struct ForeignParametersTests {
    private func problem(_ url: String) -> String? {
        do throws(DatabaseURLFault) {
            try PostgresURL(url).check()
            return nil
        } catch {
            return error.description
        }
    }

    @Test(
        arguments: [
            ("schema=hunter2", "schema is another client's, write options=-csearch_path%3DSCHEMA instead"),
            (
                "currentSchema=hunter2",
                "currentSchema is another client's, write options=-csearch_path%3DSCHEMA instead"
            ),
            ("%73chema=hunter2", "schema is another client's, write options=-csearch_path%3DSCHEMA instead"),
            ("pgbouncer=hunter2", "pgbouncer is another client's, leave it out: lkpush prepares"),
            ("connection_limit=5", "connection_limit is another client's, leave it out: lkpush has one connection"),
            ("sslaccept=hunter2", "sslaccept is another client's, write sslmode=verify-full"),
            ("ssl=hunter2", "ssl is another client's, write sslmode=require"),
            ("pool_max_conns=10", "pool_max_conns is another client's, leave it out"),
            ("statement_timeout=5", "statement_timeout is another client's, write options=-cstatement_timeout%3D"),
            ("hunter=hunter2", "hunter is none that libpq knows, correct it or leave it out"),
            ("Application_Name=hunter2", "Application_Name is none that libpq knows, write application_name"),
            ("schema", "schema is another client's, write options"),
            ("sslmode=no-verify", "sslmode is none of disable, allow, prefer, require, verify-ca, verify-full; write"),
            ("sslmode=hunter2", "sslmode is none of disable,"),
        ] as [(String, String)])
    func `another client's parameter is named with what to write instead`(_ query: String, _ message: String) {
        let found = problem("postgres://zoe:pearl@host/db?\(query)") ?? "nothing"
        #expect(found.hasPrefix("libpq cannot read its parameters: \(message)"), "\(found)")
        #expect(!found.contains("hunter2") && !found.contains("zoe") && !found.contains("pearl"))
    }

    @Test func `all of them are named at once, and those that libpq knows are not`() {
        let found =
            problem(
                "postgresql://ann:hunter2@host:5432/db?schema=public&sslmode=require&pgbouncer=true&connection_limit=5"
                    + "&application_name=x&sslmode=strict") ?? ""
        #expect(
            found.split(separator: "; ").map { $0.replacing("libpq cannot read its parameters: ", with: "") } == [
                "schema is another client's, write options=-csearch_path%3DSCHEMA instead",
                "pgbouncer is another client's, leave it out: lkpush prepares its statements",
                "PgBouncer works in session mode",
                "connection_limit is another client's, leave it out: lkpush has one connection",
                "sslmode is none of disable, allow, prefer, require, verify-ca, verify-full",
            ])
    }

    @Test(arguments: [
        "postgres://ann@host/db?password=pass&hunter2=x", "postgres://ann@host/db?password=pass&hunter2",
        "postgres://ann@host/db?hunter2", "postgres://ann:pa/ss?hunter2=x@host/db", "postgres://host/db?hun ter2=1",
        "postgres://ann@host/db?sslpassword=a&hunter2=1&schema=x", "postgres://ann:pass/w?a&hunter2=1@host/db?b=1",
    ])
    func `a name that may be a part of a password is not shown`(_ url: String) {
        let found = problem(url) ?? "nothing"
        #expect(found.contains("one that libpq does not know, not shown as it may be a part of a password"), "\(found)")
        #expect(!found.contains("ter2") && !found.contains("pass="))
    }

    @Test(arguments: [
        "postgres://ann:hunter2@host/db", "postgres://host/db?", "postgresql:///db?host=/run/postgresql",
        "postgres://host/db?sslmode=verify-full&sslrootcert=/x&target_session_attrs=read-write",
        "postgres://host/db?options=-csearch_path%3Dpublic", "postgres://host/db?user=a@b",
        "postgres://host/db?ssl=true",
        "postgres://ann:hun?ter2=@host/db", "postgres://host/db?sslmode=verify%2Dfull",
    ])
    func `what libpq knows is taken`(_ url: String) {
        #expect(problem(url) == nil)
    }

    @Test(arguments: ["jdbc:postgresql://host/db", "postgresql+asyncpg://ann:hunter2@host/db", "pgx5://host/db"])
    func `the name of another client before the URL is told`(_ url: String) {
        #expect(problem(url) == "expected postgres://USER@HOST/DATABASE, without the name of another client before it")
    }
}
