// swift-tools-version: 6.3
import PackageDescription

/// Settings of every target: Swift 6 language mode, no warning lives, narrow imports.
let house: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// Settings of targets without I/O: whatever is unsafe must also say so.
let pure: [SwiftSetting] = house + [.strictMemorySafety()]

func library(
    _ name: String, layer settings: [SwiftSetting], uses: [String] = [], resources: [Resource] = []
) -> Target {
    .target(
        name: name, dependencies: uses.map { .byName(name: $0) }, resources: resources, swiftSettings: settings)
}

func tests(_ name: String, uses: [String], resources: [Resource] = []) -> Target {
    .testTarget(
        name: name + "Tests", dependencies: (uses + ["TestSupport"]).map { .byName(name: $0) },
        resources: resources, swiftSettings: house)
}

let package = Package(
    name: "lkpush",
    products: [.executable(name: "lkpush", targets: ["lkpush"])],
    targets: [
        // C libraries of Debian 12: a module map and a shim each.
        .systemLibrary(name: "CMicroHTTPD", pkgConfig: "libmicrohttpd", providers: [.apt(["libmicrohttpd-dev"])]),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        .systemLibrary(name: "CPostgres", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CSnappy", pkgConfig: "snappy", providers: [.apt(["libsnappy-dev"])]),
        .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CPCRE2", pkgConfig: "libpcre2-8", providers: [.apt(["libpcre2-dev"])]),

        // Libraries from the bottom up; the article *Architecture* has their layers.
        library("Wire", layer: pure),

        // The machine.
        library("Platform", layer: house, uses: ["Wire"]),

        // Tools and vocabularies.
        library("SQLite", layer: house, uses: ["CSQLite", "Platform", "Wire"]),
        library("Matching", layer: house, uses: ["CPCRE2"]),
        library("LiveKit", layer: house, uses: ["CCrypto", "Platform", "Wire"]),
        library("Metrics", layer: pure, uses: ["Wire"]),
        library("Status", layer: pure, uses: ["Wire"]),
        // The SQL of its migrations is built into the program.
        library("Storage", layer: pure, uses: ["Wire"], resources: [.embedInCode("Migrations")]),
        library("Postgres", layer: house, uses: ["CPostgres", "Platform", "Storage", "Wire"]),

        // The machines.
        library("Recording", layer: pure, uses: ["LiveKit", "Metrics", "Storage", "Matching", "Wire"]),
        library("RemoteWrite", layer: house, uses: ["CSnappy", "Metrics", "Platform", "Wire"]),
        library("Journal", layer: pure, uses: ["Wire"]),

        // Adapters to the outside.
        library("HTTPServing", layer: house, uses: ["CMicroHTTPD", "Platform"]),
        library("HTTPClient", layer: house, uses: ["CCurl", "Platform", "Wire"]),
        library("JournalSQLite", layer: house, uses: ["Journal", "Platform", "SQLite", "Wire"]),
        library("JournalPostgres", layer: house, uses: ["Journal", "Platform", "Postgres", "Storage", "Wire"]),
        library("StorageSQLite", layer: house, uses: ["SQLite", "Storage", "Wire"]),
        library("StoragePostgres", layer: house, uses: ["Platform", "Postgres", "Storage", "Wire"]),

        // The way in, the way out, and capabilities of their own: none of them knows another.
        library(
            "Pipeline", layer: house,
            uses: [
                "HTTPServing", "Journal", "LiveKit", "Metrics", "Platform", "Recording", "RemoteWrite", "Status",
                "Storage", "Wire",
            ]),
        library(
            "Shipper", layer: house,
            uses: ["HTTPClient", "Metrics", "Platform", "RemoteWrite", "SQLite", "Status", "Wire"]),
        library("Enforcement", layer: house, uses: ["HTTPClient", "LiveKit", "Metrics", "Platform", "Wire"]),
        library(
            "Reconciliation", layer: house,
            uses: ["HTTPClient", "LiveKit", "Metrics", "Platform", "Recording", "Status", "Wire"]),

        // Composition.
        library(
            "Simulation", layer: house,
            uses: ["HTTPClient", "HTTPServing", "LiveKit", "Platform", "Wire"]),
        library("Top", layer: house, uses: ["HTTPClient", "Platform", "Status", "Wire"]),
        library(
            "Exporter", layer: house,
            uses: [
                "Enforcement", "HTTPClient", "HTTPServing", "Journal", "JournalPostgres", "JournalSQLite", "LiveKit",
                "Matching",
                "Metrics", "Pipeline", "Platform", "Postgres", "Reconciliation", "Recording", "RemoteWrite", "Shipper",
                "Status", "Storage", "StoragePostgres", "StorageSQLite", "Wire",
            ],
            // The status page is built into the program.
            resources: [.embedInCode("Page")]),

        // Entry points.
        .executableTarget(
            name: "lkpush", dependencies: ["Exporter", "Simulation", "Platform", "Top"], swiftSettings: house),

        // Measures all of it; its C counts allocations in this one program.
        .target(name: "CBenchmark"),
        .executableTarget(
            name: "lkpush-bench",
            dependencies: [
                "CBenchmark", "Exporter", "HTTPServing", "Journal", "JournalSQLite", "LiveKit", "Metrics", "Pipeline",
                "Platform", "Recording", "RemoteWrite", "Simulation", "Storage", "TestSupport", "Wire",
            ],
            swiftSettings: house),

        // Tests.
        .target(
            name: "TestSupport", dependencies: ["LiveKit", "Platform", "Wire", "Metrics", "Storage"],
            path: "Tests/TestSupport",
            // Tests decode millions of samples, and would wait most of their time for that.
            swiftSettings: house + [.unsafeFlags(["-O"], .when(configuration: .debug))]),
        tests("Wire", uses: ["Wire"]),
        tests("Platform", uses: ["Platform", "Wire"]),
        tests("Matching", uses: ["Matching"]),
        tests("SQLite", uses: ["Platform", "SQLite"]),
        tests("LiveKit", uses: ["LiveKit", "Platform", "Wire"], resources: [.copy("Data")]),
        tests("Metrics", uses: ["Metrics", "Wire"]),
        tests("Status", uses: ["Status", "Wire"]),
        tests(
            "Storage",
            uses: ["Platform", "Postgres", "SQLite", "Storage", "StoragePostgres", "StorageSQLite", "Wire"]),
        tests("JournalSQLite", uses: ["Journal", "JournalSQLite", "Platform", "SQLite", "Wire"]),
        tests(
            "JournalPostgres",
            uses: ["Journal", "JournalPostgres", "JournalSQLite", "Platform", "Postgres", "Storage", "Wire"]),
        tests(
            "Recording", uses: ["LiveKit", "Matching", "Metrics", "Platform", "Recording", "Storage", "Wire"],
            resources: [.copy("Data")]),
        tests("RemoteWrite", uses: ["HTTPClient", "Metrics", "Platform", "RemoteWrite", "Wire"]),
        tests("HTTPServing", uses: ["HTTPServing", "Platform"]),
        tests("HTTPClient", uses: ["HTTPClient", "Platform", "Wire"]),
        tests("Simulation", uses: ["HTTPClient", "HTTPServing", "LiveKit", "Platform", "Simulation", "Wire"]),
        tests(
            "Top", uses: ["HTTPClient", "HTTPServing", "Platform", "Status", "Top", "Wire"], resources: [.copy("Data")]),
        tests(
            "Pipeline",
            uses: [
                "Exporter", "HTTPServing", "Journal", "JournalSQLite", "LiveKit", "Matching", "Metrics", "Pipeline",
                "Platform", "Postgres", "Recording", "RemoteWrite", "SQLite", "Status", "Storage", "StoragePostgres",
                "StorageSQLite", "Wire",
            ]),
        tests(
            "Shipper",
            uses: [
                "HTTPClient", "HTTPServing", "Metrics", "Platform", "RemoteWrite", "SQLite", "Shipper", "Status",
                "Wire",
            ]),
        tests(
            "Enforcement",
            uses: ["Enforcement", "HTTPClient", "HTTPServing", "LiveKit", "Metrics", "Platform", "Wire"]),
        tests(
            "Reconciliation",
            uses: [
                "HTTPClient", "HTTPServing", "LiveKit", "Metrics", "Platform", "Reconciliation", "Recording",
                "Simulation", "Status", "Storage", "Wire",
            ]),
        tests(
            "Exporter",
            uses: [
                "Exporter", "HTTPClient", "HTTPServing", "Journal", "JournalPostgres", "JournalSQLite", "LiveKit",
                "Metrics",
                "Pipeline", "Platform", "Postgres", "RemoteWrite", "SQLite", "Shipper", "Status", "Storage",
                "StoragePostgres", "StorageSQLite", "Wire",
            ]),
        tests(
            "EndToEnd",
            uses: [
                "HTTPServing", "LiveKit", "Platform", "RemoteWrite", "Shipper", "Simulation", "SQLite", "Status",
                "Wire",
            ],
            resources: [.copy("Data")]),
        tests("Rules", uses: ["Exporter", "Metrics", "Platform"]),
        tests("Dashboard", uses: ["Exporter", "Metrics", "Platform"]),
        tests(
            "Query",
            uses: [
                "Exporter", "HTTPClient", "LiveKit", "Metrics", "Pipeline", "Platform", "RemoteWrite", "Shipper",
                "SQLite", "Simulation", "Wire",
            ]),
        tests("StatusPage", uses: ["LiveKit", "Platform", "Simulation", "Status", "Wire"]),
        tests("Deploy", uses: ["Exporter", "Platform"]),
        tests("House", uses: ["Platform"]),
    ],
    swiftLanguageModes: [.v6]
)
