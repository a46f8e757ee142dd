import CPCRE2

/// The compiled expression and the memory that a match works in. One `Pattern` owns it and uses it under its lock.
struct CompiledPattern: ~Copyable {
    struct Group {
        let name: String
        let number: Int
    }

    private let code: OpaquePointer
    private let context: OpaquePointer
    private let matchData: OpaquePointer
    let groups: [Group]

    /// Compiles the expression and allocates the memory of a match. Wraps `pcre2_compile`.
    init(_ text: String) throws(PatternFault) {
        var text = text
        let (compiled, number, offset) = text.withUTF8 { bytes in
            var number: CInt = 0
            var offset = 0
            let compiled = Self.compile(bytes, &number, &offset)
            return (compiled, number, offset)
        }
        guard let compiled else { throw PatternFault(message: Self.message(number), offset: offset) }
        guard let context = pcre2_match_context_create_8(nil) else {
            pcre2_code_free_8(compiled)
            throw Self.outOfMemory
        }
        guard let matchData = pcre2_match_data_create_from_pattern_8(compiled, nil) else {
            pcre2_match_context_free_8(context)
            pcre2_code_free_8(compiled)
            throw Self.outOfMemory
        }
        pcre2_set_match_limit_8(context, Pattern.Limits.steps)
        pcre2_set_depth_limit_8(context, Pattern.Limits.depth)
        pcre2_set_heap_limit_8(context, Pattern.Limits.heap_kibibytes)
        code = compiled
        self.context = context
        self.matchData = matchData
        groups = Self.groups(of: compiled)
    }

    deinit {
        pcre2_match_data_free_8(matchData)
        pcre2_match_context_free_8(context)
        pcre2_code_free_8(code)
    }

    /// Runs one match. Wraps `pcre2_match`.
    func match(_ text: String) -> Pattern.Outcome {
        var text = text
        return text.withUTF8 { bytes in
            // A Swift string is valid UTF-8, so the library need not check it again. Only later versions allow a null
            // subject of length 0, so an empty subject points to a byte that is not read.
            let result = withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 1) { spare in
                spare[0] = 0
                return pcre2_match_8(
                    code, bytes.baseAddress ?? UnsafePointer(spare.baseAddress), bytes.count, 0, PCRE2_NO_UTF_CHECK,
                    matchData, context)
            }
            if result > 0 { return .matched(values(in: bytes)) }
            return result == PCRE2_ERROR_NOMATCH ? .notMatched : .gaveUp
        }
    }

    private func values(in subject: UnsafeBufferPointer<UInt8>) -> [String: String] {
        guard let bounds = pcre2_get_ovector_pointer_8(matchData) else { return [:] }
        var values: [String: String] = [:]
        for group in groups where values[group.name] == nil {
            let start = bounds[2 * group.number]
            let end = bounds[2 * group.number + 1]
            // A group that took no part has the highest number as both bounds; it reads as -1 here.
            guard start >= 0, start <= end, end <= subject.count else { continue }
            values[group.name] = String(decoding: subject[start..<end], as: UTF8.self)
        }
        return values
    }

    // MARK: Compiling

    private static let outOfMemory = PatternFault(message: "out of memory", offset: 0)

    private static func compile(
        _ bytes: UnsafeBufferPointer<UInt8>, _ number: inout CInt, _ offset: inout Int
    ) -> OpaquePointer? {
        guard let context = pcre2_compile_context_create_8(nil) else { return nil }
        defer { pcre2_compile_context_free_8(context) }
        pcre2_set_max_pattern_length_8(context, Pattern.Limits.pattern_bytes)
        // `\C` would match half a character, but the match of a group must be text.
        let options = PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 1) { spare in
            spare[0] = 0
            return pcre2_compile_8(
                bytes.baseAddress ?? UnsafePointer(spare.baseAddress), bytes.count, options, &number, &offset, context)
        }
    }

    /// Returns the message for an error number. Wraps `pcre2_get_error_message`.
    private static func message(_ number: CInt) -> String {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 256) { buffer in
            let length = pcre2_get_error_message_8(number, buffer.baseAddress, buffer.count)
            guard length > 0 else { return "not a regular expression (\(number))" }
            return String(decoding: buffer[..<Int(length)], as: UTF8.self)
        }
    }

    /// Returns the names and numbers of the groups. Wraps `pcre2_pattern_info`.
    private static func groups(of code: OpaquePointer) -> [Group] {
        var count: UInt32 = 0
        var width: UInt32 = 0
        var table: UnsafePointer<UInt8>?
        pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_NAMECOUNT), &count)
        pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_NAMEENTRYSIZE), &width)
        pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_NAMETABLE), &table)
        guard let table, count > 0 else { return [] }
        // Each entry of the table of names: the group's number in two bytes, the high byte first, then the name and a
        // zero byte.
        return (0..<Int(count)).map { index in
            let entry = table + index * Int(width)
            return Group(name: String(cString: entry + 2), number: Int(entry[0]) << 8 | Int(entry[1]))
        }
    }
}
