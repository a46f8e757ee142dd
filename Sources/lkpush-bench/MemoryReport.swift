/// Memory of an exporter that runs and pushes.
enum MemoryReport {
    static func print(isJSON: Bool) -> Bool { true }
}
