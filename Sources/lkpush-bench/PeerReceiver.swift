import HTTPServing
import Platform
import RemoteWrite

/// A remote-write receiver that takes everything, reads both messages, and counts what each sender delivers.
///
/// It runs in this process. The senders are children, so its work is in nobody's figure.
final class PeerReceiver {
    /// The deliveries of one sender.
    struct Figures {
        var requests = 0
        var samples = 0
        /// The bytes of the bodies as they came, without headers.
        var bytes = 0
        /// The message of the last request.
        var message: Message?
        var unreadable = 0

        static func - (later: Figures, earlier: Figures) -> Figures {
            Figures(
                requests: later.requests - earlier.requests, samples: later.samples - earlier.samples,
                bytes: later.bytes - earlier.bytes, message: later.message,
                unreadable: later.unreadable - earlier.unreadable)
        }

        var bytesPerSample: Double { Double(bytes) / Double(max(1, samples)) }
    }

    private struct Sender {
        var figures = Figures()
        /// False while everything is answered 503.
        var isOpen = true
    }

    private let senders: [String: Monitor<Sender>]
    private let server: Server

    /// - Parameter names: the senders; each has a path of its own.
    init(_ names: [String]) throws(LoadGenerator.LoadError) {
        let senders = Dictionary(uniqueKeysWithValues: names.map { ($0, Monitor(Sender())) })
        let taken = Response(status: 204)
        let refused = Response(status: 503)
        let malformed = Response(status: 400)
        self.senders = senders
        do throws(ServingError) {
            server = try Server(
                listen: ListenAddress(host: "127.0.0.1", port: 0),
                routes: senders.map { name, sender in
                    Route(.post, "/\(name)") { request, body in
                        if !sender.withLock({ $0.isOpen }) { return .respond(refused) }
                        let type = request.header("Content-Type") ?? ""
                        let message: Message = type.contains("io.prometheus.write.v2.Request") ? .v2 : .v1
                        let bytes = body.withUnsafeBufferPointer { Array($0) }
                        let samples = SampleCount.of(bytes, message)
                        sender.change { sender in
                            sender.figures.requests += 1
                            sender.figures.samples += samples ?? 0
                            sender.figures.bytes += bytes.count
                            sender.figures.message = message
                            if samples == nil { sender.figures.unreadable += 1 }
                        }
                        guard let samples else { return .respond(malformed) }
                        return .respond(message == .v1 ? taken : Self.written(samples))
                    }
                }, settings: ServerSettings(maxBody: .mebibytes(64), maxConnections: 1_000))
        } catch {
            throw LoadGenerator.LoadError(description: "\(error)")
        }
    }

    deinit { server.stop(deadline: SystemTime().monotonic()) }

    /// The answer to a request of 2.0.
    /// https://prometheus.io/docs/specs/prw/remote_write_spec_2_0/#required-written-response-headers
    static func written(_ samples: Int) -> Response {
        Response(
            status: 204,
            headers: [
                "X-Prometheus-Remote-Write-Samples-Written": "\(samples)",
                "X-Prometheus-Remote-Write-Histograms-Written": "0",
                "X-Prometheus-Remote-Write-Exemplars-Written": "0",
            ])
    }

    func url(_ name: String) -> String { "http://\(server.address)/\(name)" }

    func figures(_ name: String) -> Figures { sender(name).withLock { $0.figures } }

    /// Answers 503 to this sender, or takes its requests again.
    func setOpen(_ name: String, _ isOpen: Bool) { sender(name).change { $0.isOpen = isOpen } }

    /// Waits until this sender has delivered more samples than this. Returns false if that takes too long.
    func wait(for name: String, beyond samples: Int, within limit: Duration) -> Bool {
        sender(name).wait(until: SystemTime().monotonic() + limit) { $0.figures.samples > samples ? true : nil }
            ?? false
    }

    private func sender(_ name: String) -> Monitor<Sender> {
        guard let sender = senders[name] else { preconditionFailure("a sender is named when the receiver is made") }
        return sender
    }
}
