import Glibc
import SQLite
import Testing

@Suite struct OwnerTests {
    @Test func `a thread that does not own a connection is stopped`() async {
        await #expect(processExitsWith: .failure) {
            let connection = try Connection(path: ":memory:")
            let context = Unmanaged.passRetained(connection).toOpaque()
            var thread = pthread_t()
            pthread_create(
                &thread, nil,
                { context in
                    guard let context else { return nil }
                    let connection = Unmanaged<Connection>.fromOpaque(context).takeUnretainedValue()
                    try? connection.execute("SELECT 1")
                    return nil
                }, context)
            pthread_join(thread, nil)
            exit(EXIT_SUCCESS)
        }
    }
}
