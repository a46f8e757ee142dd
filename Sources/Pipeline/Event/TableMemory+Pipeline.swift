import Status

extension TableMemory {
    init(_ name: String, _ entries: Int, max: Int? = nil, size_bytes: Int? = nil) {
        self.init()
        self.name = name
        self.entries = entries
        self.max = max
        self.size_bytes = size_bytes
    }
}
