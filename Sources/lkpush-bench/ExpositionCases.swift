import Metrics

/// The text page of a large registry.
enum ExpositionCases {
    static var all: [BenchmarkCase] {
        [
            BenchmarkCase("exposition", per: "page") {
                let large = LargeRegistry()
                var page: [UInt8] = []
                Exposition.append(large.fixture.registry, to: &page)
                var copy = page
                let source = page
                return Workload(
                    operations: 1,
                    run: {
                        page.removeAll(keepingCapacity: true)
                        Exposition.append(large.fixture.registry, to: &page)
                    },
                    lowerBound: .init(name: "memcpy of the page", operations: 1) {
                        copyBytes(of: source, to: &copy)
                    },
                    note: { "\(source.count) bytes" })
            }
        ]
    }
}
