package import Metrics
import Platform

/// Serves the page of a registry on loopback, for a scraper.
package final class ExpositionServer: Sendable {
    private let listener: LoopbackSocket
    private let thread: NamedThread
    package let port: UInt16

    package init(_ registry: Registry, as format: Exposition.Format = .text) throws {
        let listener = try LoopbackSocket.listening()
        self.listener = listener
        port = listener.port
        thread = NamedThread(name: "exposition") {
            // There is one scraper, with one request per connection.
            while let socket = listener.accepted() {
                var buffer: [UInt8] = []
                guard HTTPMessage.read(from: socket, buffer: &buffer) != nil else { continue }
                var page: [UInt8] = []
                Exposition.append(registry, as: format, to: &page)
                let head = """
                    HTTP/1.1 200 OK\r\nContent-Type: \(format.contentType)\r\nConnection: close\r\n\
                    Content-Length: \(page.count)\r\n\r\n
                    """
                _ = socket.write(Array(head.utf8) + page)
            }
        }
    }

    deinit {
        listener.shutdown()
        thread.join()
    }
}
