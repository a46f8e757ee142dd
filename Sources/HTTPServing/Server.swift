import CMicroHTTPD
import Glibc
package import Platform
import Synchronization

/// An HTTP/1.1 server on one address. One thread accepts, one polls and runs the handlers, one enforces time limits.
///
/// Several servers may run in one process. Any thread may stop one; one that is released without a stop stops at once.
package final class Server: Sendable {
    /// The result of a stop.
    package enum Stop: Sendable, Equatable {
        /// Every request that was taken got its response.
        case finished
        /// The deadline came first: waiting requests got their fallback response.
        case cut
        /// The HTTP library did not release a suspended request; its memory leaks.
        case abandoned
    }

    private struct State {
        var daemon: OpaquePointer?
    }

    /// The address, with the port that the system chose if 0 was asked for.
    package let address: ListenAddress
    private let engine: Engine
    private let socket: ListeningSocket
    private let acceptor: NamedThread
    private let watcher: NamedThread
    private let state: Mutex<UInt>

    /// Starts to listen. Throws if the address cannot be used.
    ///
    /// - Parameters:
    ///   - unknownPath: the response to a request for a path that no route has.
    ///   - onStray: sees the requests that no route takes.
    package init(
        listen: ListenAddress, routes: [Route], settings: ServerSettings,
        unknownPath: Response = .text(404, "not found\n", headers: ["Connection": "close"]),
        onStray: @escaping StrayHandler = { _ in }
    ) throws(ServingError) {
        socket = try ListeningSocket(listen)
        address = socket.address
        var settings = settings
        settings.maxConnections = DescriptorLimit.connections(wanted: settings.maxConnections)
        engine = Engine(routes: routes, settings: settings, notFound: unknownPath, onStray: onStray)
        guard let daemon = Self.start(engine) else {
            close(socket.file)
            throw .library(address.description)
        }
        state = Mutex(UInt(bitPattern: daemon))
        let accepting = Acceptor(socket, daemon: daemon, engine: engine)
        acceptor = NamedThread(name: "http-accept") { accepting.run() }
        let timeouts = engine.timeouts
        watcher = NamedThread(name: "http-watch") { timeouts.run() }
    }

    deinit { stop(deadline: SystemTime().monotonic()) }

    /// The most connections at one time: as many as were asked for, or fewer if the system has no descriptors for them.
    package var maxConnections: Int { engine.settings.maxConnections }

    /// The counts since the start.
    package var statistics: ServingStatistics { engine.statistics }

    /// Reads `figures` without keeping the server alive, for a reader that outlives it.
    package var statisticsReader: @Sendable () -> ServingStatistics { { [engine] in engine.statistics } }

    /// Closes the listening socket, so that new connections are refused, and all connections that are not owed a
    /// response. Complete requests are still answered.
    package func stopAccepting() {
        guard engine.stopTaking() else { return }
        // Refuses new connections at once, and ends the acceptor's wait for one.
        shutdown(socket.file, Int32(SHUT_RDWR))
        engine.table.close()
        acceptor.join()
        close(socket.file)
        // Ends connections that came in between.
        engine.endIncomplete()
    }

    /// Stops accepting, waits until every request that was taken is answered, but not beyond `deadline`, then ends all
    /// threads. A second call does nothing.
    @discardableResult
    package func stop(deadline: MonotonicTime) -> Stop {
        stopAccepting()
        return state.withLock { word in
            guard let daemon = OpaquePointer(bitPattern: word) else { return .finished }
            word = 0
            var outcome = Stop.finished
            if waitUntil(deadline, { engine.isIdle }) == nil {
                outcome = .cut
                engine.expireAll()
                let end = SystemTime().monotonic() + Limits.stop
                _ = waitUntil(end, { engine.isIdle })
                // Stopping the daemon with a suspended connection is undefined behaviour.
                if engine.isAnythingSuspended { outcome = .abandoned }
            }
            if outcome != .abandoned {
                MHD_stop_daemon(daemon)
                Unmanaged.passUnretained(engine).release()
            }
            engine.timeouts.end()
            watcher.join()
            engine.lingering.closeAll()
            return outcome
        }
    }

    private func waitUntil(_ deadline: MonotonicTime, _ condition: () -> Bool) -> Void? {
        engine.departures.wait(until: deadline) { _ in condition() ? () : nil }
    }

    /// Starts the daemon, which holds the engine until it is stopped. Wraps `MHD_start_daemon`.
    private static func start(_ engine: Engine) -> OpaquePointer? {
        let context = Unmanaged.passRetained(engine).toOpaque()
        func function<F>(_ callback: F) -> Int { unsafeBitCast(callback, to: Int.self) }
        var options = [
            // Never reached, because the table enforces the limit.
            MHD_OptionItem(option: .CONNECTION_LIMIT, value: Int(Int32.max), ptr_value: nil),
            MHD_OptionItem(option: .CONNECTION_MEMORY_LIMIT, value: Limits.header_bytes, ptr_value: nil),
            // A second line of defence: the time-out thread enforces the limits, and a client cannot extend them byte
            // by byte.
            MHD_OptionItem(
                option: .CONNECTION_TIMEOUT,
                value: Int(engine.settings.idleTimeout.components.seconds) + 60, ptr_value: nil),
            // A request without `Host` is refused, as https://www.rfc-editor.org/rfc/rfc9112#section-3.2 demands.
            MHD_OptionItem(option: .STRICT_FOR_CLIENT, value: 1, ptr_value: nil),
            MHD_OptionItem(
                option: .NOTIFY_CONNECTION, value: function(Callbacks.connectionChanged),
                ptr_value: context),
            MHD_OptionItem(
                option: .URI_LOG_CALLBACK, value: function(Callbacks.requestLine), ptr_value: context),
            MHD_OptionItem(
                option: .NOTIFY_COMPLETED, value: function(Callbacks.completed), ptr_value: context),
            MHD_OptionItem(option: .END, value: 0, ptr_value: nil),
        ]
        // Poll, not epoll: in this version epoll loses resumed connections under load.
        let flags =
            MHD_USE_POLL_INTERNAL_THREAD.rawValue | MHD_ALLOW_SUSPEND_RESUME.rawValue
            | MHD_USE_NO_LISTEN_SOCKET.rawValue
        let daemon = lk_start_daemon(flags, Callbacks.access, context, &options)
        if daemon == nil { Unmanaged<Engine>.fromOpaque(context).release() }
        return daemon
    }
}
