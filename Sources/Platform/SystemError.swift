import Glibc

/// A system call that failed.
package struct SystemError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The operation that failed, such as `open`.
    package let operation: String
    /// The object of the operation: a path or an address, never a secret.
    package let subject: String
    /// The value of `errno`.
    package let code: Int32

    package init(_ operation: String, _ subject: String, code: Int32 = errno) {
        self.operation = operation
        self.subject = subject
        self.code = code
    }

    package var description: String { "\(operation) \(subject): \(Self.text(of: code)) (errno \(code))" }

    /// The system's text for an error code, such as `Connection refused`. Wraps `strerror`.
    package static func text(of code: Int32) -> String { String(cString: strerror(code)) }
}
