import Glibc
import Platform
import Testing

@Suite struct ThreadOwnerTests {
    @Test func `the thread that made it passes`() async {
        await #expect(processExitsWith: .success) {
            let thread = NamedThread(name: "owner") {
                ThreadOwner().assertOwned("a thing")
            }
            thread.join()
            exit(EXIT_SUCCESS)
        }
    }

    @Test func `another thread is stopped, and told what it used`() async throws {
        let result = try await #require(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let owner = ThreadOwner()
            let thread = NamedThread(name: "stranger") { owner.assertOwned("a thing") }
            thread.join()
            exit(EXIT_SUCCESS)
        }
        let text = String(decoding: result.standardErrorContent, as: UTF8.self)
        #expect(text.contains("a thing was used by a thread that does not own it"))
    }
}
