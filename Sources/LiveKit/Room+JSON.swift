internal import Wire

extension Room {
    /// Reads the `Room` message at `offset`; an empty one if `offset` is nil.
    init(_ bytes: Span<UInt8>, at offset: Int?, metadataKey: String?) throws(DecodingFault) {
        self.init()
        guard let offset else { return }
        var reader = JSONReader(at: offset)
        guard try reader.beginObject(bytes) else { return }
        while let key = try reader.nextKey(bytes) {
            switch Self.fields[key] {
            case .sid: sid = try reader.readString(bytes)
            case .name: name = try reader.readString(bytes)
            case .creationTime: creationTime_s = try reader.readTime(bytes, unitsPerSecond: 1)
            case .creationTimeMs: creationTime_ms = try reader.readTime(bytes, unitsPerSecond: 1_000)
            case .metadata:
                if let metadataKey { metadataOrganization = Self.organization(bytes, reader, metadataKey) }
                try reader.skip(bytes)
            case nil: try reader.skip(bytes)
            }
        }
    }

    /// Takes what it lacks from elsewhere in the event.
    mutating func complete(sid: String, name: String) {
        if self.sid.isEmpty { self.sid = sid }
        if self.name.isEmpty { self.name = name }
    }

    /// Reads the value of `key` in the metadata at `reader`: a text that holds a JSON object. A string or an integer
    /// counts as its text. Applications put anything there, so a value that cannot be used is nil and not a fault.
    private static func organization(_ bytes: Span<UInt8>, _ reader: JSONReader, _ key: String) -> String? {
        var reader = reader
        do throws(DecodingFault) {
            guard let metadata = try reader.readText(bytes) else { return nil }
            return try value(of: key, in: metadata.utf8.span)
        } catch {
            return nil
        }
    }

    private static func value(of key: String, in bytes: Span<UInt8>) throws(DecodingFault) -> String? {
        var value: String?
        var reader = JSONReader()
        guard try reader.beginObject(bytes) else { return nil }
        while let name = try reader.nextKeyText(bytes) {
            // The comparison is by bytes: é as one scalar is another key than é as two.
            guard name.utf8.elementsEqual(key.utf8) else {
                try reader.skip(bytes)
                continue
            }
            switch try reader.peek(bytes) {
            case UInt8(ascii: "\""): value = try reader.readText(bytes)
            case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                value = try reader.readInteger(bytes).map { String($0) }
            default:
                value = nil
                try reader.skip(bytes)
            }
        }
        try reader.finish(bytes)
        return value?.isEmpty == true ? nil : value
    }

    private enum Field { case sid, name, creationTime, creationTimeMs, metadata }

    private static let fields = NameTable<Field>(fields: [
        ("sid", .sid), ("name", .name), ("creationTime", .creationTime), ("creationTimeMs", .creationTimeMs),
        ("metadata", .metadata),
    ])
}
