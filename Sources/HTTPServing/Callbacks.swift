import CMicroHTTPD

/// The functions that the library calls on its poll thread. They have a file of their own, so that no closure for C is
/// ever formed inside an actor's isolation.
///
/// `cls` is the `Engine`, which is retained while the daemon runs. The socket context is the `Connection`, which is
/// retained from its start to its end.
enum Callbacks {
    static let connectionChanged: MHD_NotifyConnectionCallback = { cls, handle, context, code in
        guard let cls, let handle, let context else { return }
        let engine = Unmanaged<Engine>.fromOpaque(cls).takeUnretainedValue()
        if code == .CONNECTION_NOTIFY_STARTED {
            guard let connection = engine.open(socket: lk_connection_socket(handle)) else { return }
            context.pointee = Unmanaged.passRetained(connection).toOpaque()
        } else if let kept = context.pointee {
            context.pointee = nil
            engine.close(Unmanaged<Connection>.fromOpaque(kept).takeRetainedValue())
        }
    }

    /// Called with each request line. It returns the request's context.
    static let requestLine:
        @convention(c) (UnsafeMutableRawPointer?, UnsafePointer<CChar>?, OpaquePointer?)
            -> UnsafeMutableRawPointer? = { cls, _, handle in
                guard let cls, let handle, let context = lk_connection_context(handle) else { return nil }
                let connection = Unmanaged<Connection>.fromOpaque(context).takeUnretainedValue()
                Unmanaged<Engine>.fromOpaque(cls).takeUnretainedValue().begin(connection)
                return context
            }

    static let access: MHD_AccessHandlerCallback = { cls, handle, path, method, _, bytes, count, context in
        guard let cls, let handle, let path, let method, let count, let kept = context?.pointee else { return .NO }
        let engine = Unmanaged<Engine>.fromOpaque(cls).takeUnretainedValue()
        let connection = Unmanaged<Connection>.fromOpaque(kept).takeUnretainedValue()
        let chunk = UnsafeRawBufferPointer(start: bytes, count: count.pointee)
        count.pointee = 0
        return engine.proceed(connection, handle, path: path, method: method, chunk: chunk)
    }

    static let completed: MHD_RequestCompletedCallback = { cls, _, context, _ in
        guard let cls, let kept = context?.pointee else { return }
        context?.pointee = nil
        let connection = Unmanaged<Connection>.fromOpaque(kept).takeUnretainedValue()
        Unmanaged<Engine>.fromOpaque(cls).takeUnretainedValue().finish(connection)
    }
}
