import Platform

/// A file of `NAME=value` lines, read as Docker Compose reads one.
/// https://docs.docker.com/reference/compose-file/services/#env_file-format
///
/// `#` starts a comment at the beginning of a line and after a blank. Values may stand in quotes, over several lines
/// too. In single quotes only `\'` is special. In double quotes `\n`, `\"` and other escapes are resolved. Outside of
/// single quotes `$NAME` and `${NAME}` stand for a variable, with the operators `:-`, `-`, `:?`, `?`, `:+` and `+` in
/// braces, and `$$` for a dollar sign. A name alone on its line stands for the variable of the environment.
///
/// Two things that Compose lets pass are errors, because they are more likely parts of a password: a variable that is
/// not set, and what follows a closing quote on its line and is no comment.
package enum EnvironmentFile {
    /// The file cannot be read, or has a line that is no assignment.
    package struct EnvironmentError: Error, Sendable, Equatable, CustomStringConvertible {
        package let description: String
        package init(description: String) { self.description = description }
    }

    private static let size_bytes_max = 1 << 20

    /// Reads the assignments of the file. A variable that `environment` has already wins.
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
