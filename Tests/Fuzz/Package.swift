// swift-tools-version: 6.3
import PackageDescription

// A package of its own, because every source must be built with the fuzzer's counters. `Product` and `Support` are
// links to the sources of the main package: its `package` access ends at its border, so they are built again here.

/// Like the main package's, and checked: whatever `assert` says is checked too.
let fuzzed: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .unsafeFlags(["-sanitize=fuzzer,address", "-assert-config", "Debug"]),
]

func product(_ name: String, uses: [String] = [], resources: [Resource] = []) -> Target {
    .target(
        name: name, dependencies: uses.map { .byName(name: $0) }, path: "Product/\(name)", resources: resources,
        swiftSettings: fuzzed)
}

func system(_ name: String, pkgConfig: String) -> Target {
    .systemLibrary(name: name, path: "Product/\(name)", pkgConfig: pkgConfig)
}

let package = Package(
    name: "fuzzers",
    targets: [
        system("CMicroHTTPD", pkgConfig: "libmicrohttpd"),
        system("CCurl", pkgConfig: "libcurl"),
        system("CSQLite", pkgConfig: "sqlite3"),
        system("CPostgres", pkgConfig: "libpq"),
        system("CSnappy", pkgConfig: "snappy"),
        system("CCrypto", pkgConfig: "libcrypto"),
        system("CPCRE2", pkgConfig: "libpcre2-8"),

        product("Wire"),
        product("Platform", uses: ["Wire"]),
        product("SQLite", uses: ["CSQLite", "Platform", "Wire"]),
        product("Matching", uses: ["CPCRE2"]),
        product("LiveKit", uses: ["CCrypto", "Platform", "Wire"]),
        product("Metrics", uses: ["Wire"]),
        product("Storage", uses: ["Wire"], resources: [.embedInCode("Migrations")]),
        product("Recording", uses: ["LiveKit", "Metrics", "Storage", "Matching", "Wire"]),
        product("RemoteWrite", uses: ["CSnappy", "Metrics", "Platform", "Wire"]),
        product("Journal", uses: ["Wire"]),
        product("HTTPServing", uses: ["CMicroHTTPD", "Platform"]),
        product("HTTPClient", uses: ["CCurl", "Platform", "Wire"]),
        product("JournalSQLite", uses: ["Journal", "Platform", "SQLite", "Wire"]),
        product("StorageSQLite", uses: ["SQLite", "Storage", "Wire"]),
        product("Postgres", uses: ["CPostgres", "Platform", "Storage", "Wire"]),
        product("StoragePostgres", uses: ["Platform", "Postgres", "Storage", "Wire"]),
        product(
            "Pipeline",
            uses: [
                "HTTPServing", "Journal", "LiveKit", "Metrics", "Platform", "Recording", "RemoteWrite", "Storage",
                "Wire",
            ]),
        product("Shipper", uses: ["HTTPClient", "Metrics", "Platform", "RemoteWrite", "SQLite", "Wire"]),
        product("Enforcement", uses: ["HTTPClient", "LiveKit", "Metrics", "Platform", "Wire"]),
        product(
            "Exporter",
            uses: [
                "Enforcement", "HTTPClient", "HTTPServing", "Journal", "JournalSQLite", "LiveKit", "Matching",
                "Metrics",
                "Pipeline", "Platform", "Postgres", "Recording", "RemoteWrite", "Shipper", "Storage", "StoragePostgres",
                "StorageSQLite", "Wire",
            ]),

        .target(
            name: "TestSupport", dependencies: ["LiveKit", "Platform", "Wire", "Metrics", "Storage"], path: "Support",
            swiftSettings: fuzzed),
        .systemLibrary(name: "CFuzzer", path: "CFuzzer"),
        .executableTarget(
            name: "Fuzzers",
            dependencies: [
                "CFuzzer", "Exporter", "HTTPClient", "HTTPServing", "LiveKit", "Matching", "Metrics", "Pipeline",
                "Platform", "Postgres",
                "Recording", "RemoteWrite", "SQLite", "Shipper", "Storage", "StoragePostgres", "TestSupport", "Wire",
            ],
            path: "Fuzzers", swiftSettings: fuzzed,
            linkerSettings: [.unsafeFlags(["-sanitize=fuzzer,address", "-use-ld=lld"])]),
    ],
    swiftLanguageModes: [.v6]
)
