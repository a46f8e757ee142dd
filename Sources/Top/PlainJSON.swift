/// A JSON document as one line that a terminal shows and does not obey.
///
/// Only how it is written changes, never what it says: characters that a terminal obeys or hides, or that reorder text,
/// become `\uXXXX`. In JSON they can stand in strings only, and line ends only between tokens.
enum PlainJSON {
    static func line(_ json: [UInt8]) -> String {
        var line = ""
        line.reserveCapacity(json.count + 1)
        for scalar in String(decoding: json, as: UTF8.self).unicodeScalars {
            if scalar.value < 0x20 {
                line += " "
            } else if scalar.isASCII && scalar.value < 0x7F {
                line.unicodeScalars.append(scalar)
            } else {
                switch scalar.properties.generalCategory {
                case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
                    for unit in UTF16.encode(scalar) ?? UTF16.encodedReplacementCharacter { line += escape(unit) }
                default: line.unicodeScalars.append(scalar)
                }
            }
        }
        return line + "\n"
    }

    private static func escape(_ unit: UInt16) -> String {
        let digits = String(unit, radix: 16)
        return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    }
}
