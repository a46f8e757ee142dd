import Postgres
import Storage
import StoragePostgres
import StorageSQLite
import Testing

@Suite struct DatabaseURLTests {
    struct Vector: Sendable, CustomTestStringConvertible {
        let text: String
        let shown: String
        var testDescription: String { text }
    }

    static let vectors = [
        Vector(text: "sqlite:office.db", shown: "sqlite:office.db"),
        Vector(text: "sqlite:/var/lib/lkpush/office.db", shown: "sqlite:/var/lib/lkpush/office.db"),
        Vector(text: "sqlite:///var/lib/office.db", shown: "sqlite:/var/lib/office.db"),
        Vector(text: "SQLite:x", shown: "sqlite:x"),
        Vector(text: "postgres://host/db", shown: "postgres://host/db"),
        Vector(text: "postgres://ann@host/db", shown: "postgres://ann@host/db"),
        Vector(text: "postgres://ann:hunter2@host:5432/db", shown: "postgres://ann:••••@host:5432/db"),
        Vector(text: "postgresql://ann:p@ss:w/rd@host/db", shown: "postgresql://ann:••••@host/db"),
        Vector(text: "postgres://ann:hunter2?x@host/db?port=1", shown: "postgres://ann:••••@host/db?port=1"),
        Vector(text: "postgres://host:5432/db?user=a@b", shown: "postgres://host:5432/db?user=a@b"),
        Vector(
            text: "postgres://ann@host/db?sslmode=require&password=hunter2&sslpassword=x&pasword=hunter2",
            shown: "postgres://ann@host/db?sslmode=require&password=••••&sslpassword=••••&pasword=••••"),
    ]

    private static let kinds: [any DatabaseURL.Type] = [SQLiteURL.self, PostgresURL.self]

    @Test(arguments: vectors)
    func `a URL is shown without its password`(_ vector: Vector) throws {
        let kind = Self.kinds.first { $0.schemes.contains(vector.text.prefix { $0 != ":" }.lowercased()) }
        let url = try #require(kind).init(vector.text)
        #expect("\(url)" == vector.shown)
        var dumped = ""
        dump(url, to: &dumped)
        #expect(!dumped.contains("hunter2") && !String(reflecting: url).contains("hunter2"))
    }
}
