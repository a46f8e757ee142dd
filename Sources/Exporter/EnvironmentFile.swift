import Platform

/// A file of `NAME=value` lines, read as Docker Compose reads one.
/// https://docs.docker.com/reference/compose-file/services/#env_file-format
///
/// `#` starts a comment at the start of a line and after a blank. Values may stand in quotes, over several lines too:
/// nothing is special in single quotes but `\'`, and in double quotes are `\n`, `\"` and their kind. Outside of single
/// quotes `$NAME` and `${NAME}` stand for the variable, and `$$` for a dollar sign.
///
/// Where Compose goes on with a warning, or reads something that nobody meant, this is an error: a variable that is not
/// set, which is more likely a part of a password.
package enum EnvironmentFile {
    /// The file cannot be read or has a line that is no assignment.
    package struct EnvironmentError: Error, Sendable, Equatable, CustomStringConvertible {
        package let description: String
        package init(description: String) { self.description = description }
    }

    private static let size_bytes_max = 1 << 20

    /// The assignments of the file; what `environment` has already wins.
    package static func read(
        _ path: String, under environment: [String: String]
    ) throws(EnvironmentError) -> [String: String] {
        do throws(TextFile.ReadError) {
            var text = EnvironmentText(
                try TextFile.read(path, limit: size_bytes_max), of: path, under: environment)
            return try text.read()
        } catch {
            throw EnvironmentError(description: error.description)
        }
    }
}
