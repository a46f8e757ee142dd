import CCurl
import Platform
import Wire

/// One easy handle and the data that its callbacks collect. It is reused for later requests.
///
/// The transport keeps it alive while curl holds its address.
final class Transfer {
    let easy: UnsafeMutableRawPointer
    private let errorText: UnsafeMutablePointer<CChar>
    private var headerLines: UnsafeMutablePointer<curl_slist>?
    private var addressLines: UnsafeMutablePointer<curl_slist>?

    var id = RequestID(number: 0)
    var startedAt = MonotonicTime(nanoseconds: 0)
    private var head = ResponseHead(wanted: [])
    private var body: [UInt8] = []
    private var received = 0
    private var kept_bytes = 0
    private(set) var deliveries = 0

    /// Wraps `curl_easy_init`.
    init?() {
        guard let handle = curl_easy_init() else { return nil }
        easy = handle
        errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    }

    deinit {
        curl_easy_cleanup(easy)
        curl_slist_free_all(headerLines)
        curl_slist_free_all(addressLines)
        errorText.deallocate()
    }

    /// Resets the handle and sets every option. Wraps `curl_easy_setopt`.
    ///
    /// - Parameters:
    ///   - proxy: the proxy that is connected to instead of the host of the URL.
    ///   - resolved: the addresses of the host that is connected to. Nil if curl knows them.
    ///   - waited: the part of the request's time that has passed already.
    func prepare(
        _ request: Request, _ options: TransportOptions, _ proxy: Proxies.Proxy?, resolved: String?, waited: Duration
    ) throws(TransportError) {
        curl_easy_reset(easy)
        head = ResponseHead(wanted: options.recordedHeaders)
        body.removeAll(keepingCapacity: true)
        received = 0
        kept_bytes = request.bodyKept_bytes
        deliveries = 0
        errorText[0] = 0

        try setCallbacks()
        try set(CURLOPT_URL, request.url.exposed)
        try set(CURLOPT_PROTOCOLS_STR, "http,https")
        try set(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1)
        // Signals belong to the program. A library must not use them.
        try set(CURLOPT_NOSIGNAL, 1)
        // A redirect could carry the credentials to another host.
        try set(CURLOPT_FOLLOWLOCATION, 0)
        try set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        try set(CURLOPT_TIMEOUT_MS, max(1, Int((request.timeout - waited).milliseconds)))
        try set(CURLOPT_CONNECTTIMEOUT_MS, max(1, Int((options.connectTimeout - waited).milliseconds)))
        try set(CURLOPT_MAXLIFETIME_CONN, max(1, Int(options.connectionLifetime / .seconds(1))))
        try set(CURLOPT_TCP_KEEPALIVE, 1)
        // With these two curl reads no proxy from the environment. It would read it in another way.
        try set(CURLOPT_PROXY, proxy?.exposed ?? "")
        try set(CURLOPT_NOPROXY, "")
        try setAddresses(resolved)
        try setTrust(options)
        try setHeaders(request.headers)
        switch request.method {
        case .get: try set(CURLOPT_HTTPGET, 1)
        case .post: try setBody(request.body)
        }
    }

    private func setCallbacks() throws(TransportError) {
        let context = Unmanaged.passUnretained(self).toOpaque()
        try set(CURLOPT_ERRORBUFFER, UnsafeRawPointer(errorText))
        try set(CURLOPT_PRIVATE, UnsafeRawPointer(context))
        try set(CURLOPT_WRITEDATA, UnsafeRawPointer(context))
        try set(CURLOPT_HEADERDATA, UnsafeRawPointer(context))
        try set(CURLOPT_PREREQDATA, UnsafeRawPointer(context))
        try check("set callback", ccurl_set_write(easy, CURLOPT_WRITEFUNCTION, receiveBody))
        try check("set callback", ccurl_set_write(easy, CURLOPT_HEADERFUNCTION, receiveHeader))
        try check("set callback", ccurl_set_prereq(easy, beforeRequest))
    }

    private func setTrust(_ options: TransportOptions) throws(TransportError) {
        try set(CURLOPT_SSL_VERIFYPEER, 1)
        try set(CURLOPT_SSL_VERIFYHOST, 2)
        try set(CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2)
        try set(CURLOPT_CA_CACHE_TIMEOUT, 60)
        // curl's own values are the system's file and folder. It looks in both.
        var (file, folders) = (options.network.authorityFile, options.network.authorityFolders)
        if let own = options.authorityFile {
            (file, folders) = (own, nil)
            for option in [CURLOPT_CAPATH, CURLOPT_PROXY_CAPATH] {
                try check("set option \(option.rawValue)", ccurl_set_pointer(easy, option, nil))
            }
        }
        for option in [CURLOPT_CAINFO, CURLOPT_PROXY_CAINFO] { if let file { try set(option, file) } }
        for option in [CURLOPT_CAPATH, CURLOPT_PROXY_CAPATH] { if let folders { try set(option, folders) } }
        if let file = options.certificateFile { try set(CURLOPT_SSLCERT, file) }
        if let file = options.keyFile { try set(CURLOPT_SSLKEY, file) }
    }

    /// Gives curl the addresses, so that it asks no name server itself.
    private func setAddresses(_ resolved: String?) throws(TransportError) {
        // Should curl ask one after all, its thread is not waited for.
        try set(CURLOPT_QUICK_EXIT, 1)
        try fill(&addressLines, resolved.map { [$0] } ?? [])
        if let addressLines { try set(CURLOPT_RESOLVE, UnsafeRawPointer(addressLines)) }
    }

    private func setHeaders(_ headers: [HTTPHeader]) throws(TransportError) {
        // Without this header curl asks for permission before it sends a body, which costs a round trip.
        try fill(&headerLines, ["Expect:"] + headers.map(\.line))
        if let headerLines { try set(CURLOPT_HTTPHEADER, UnsafeRawPointer(headerLines)) }
    }

    /// Replaces a list. Wraps `curl_slist_append`.
    private func fill(_ list: inout UnsafeMutablePointer<curl_slist>?, _ lines: [String]) throws(TransportError) {
        curl_slist_free_all(list)
        list = nil
        for line in lines {
            guard let longer = curl_slist_append(list, line) else {
                throw TransportError(operation: "add to a list", code: CURLE_OUT_OF_MEMORY.rawValue, text: "no memory")
            }
            list = longer
        }
    }

    /// Sets the body. curl copies it, so its address need not outlive this call.
    private func setBody(_ body: [UInt8]) throws(TransportError) {
        try set(CURLOPT_POST, 1)
        try set(CURLOPT_POSTFIELDSIZE, body.count)
        let code = body.withUnsafeBytes { bytes in
            ccurl_set_pointer(easy, CURLOPT_COPYPOSTFIELDS, bytes.baseAddress ?? UnsafeRawPointer(easy))
        }
        try check("set body", code)
    }

    /// The completion of the request. Call it after curl has reported the end.
    func completion(_ result: CURLcode, at now: MonotonicTime) -> Completion {
        Completion(id: id, outcome: outcome(result), duration: now.since(startedAt), deliveries: deliveries)
    }

    private func outcome(_ result: CURLcode) -> Completion.Outcome {
        var status = 0
        _ = ccurl_get_long(easy, CURLINFO_RESPONSE_CODE, &status)
        // A complete head is an answer: its body may have ended, or was cut by us, or never ended, or broke off.
        if status >= 200 && (head.isComplete || result == CURLE_OK) {
            return .response(
                Response(status: status, headers: head.headers, body: takeBody(), ending: ending(result)))
        }
        let own = String(cString: errorText)
        let text = own.isEmpty ? String(cString: curl_easy_strerror(result)) : own
        let kind = kind(of: result, text)
        var systemCode = 0
        if kind == .connect { _ = ccurl_get_long(easy, CURLINFO_OS_ERRNO, &systemCode) }
        return .failure(
            NetworkError(
                kind: kind, mayHaveArrived: deliveries > 0, code: result.rawValue, text: Self.withoutUserInfo(text),
                systemCode: Int32(truncatingIfNeeded: systemCode)))
    }

    private func ending(_ result: CURLcode) -> Response.Ending {
        if received > kept_bytes { return .cut }
        return result == CURLE_OK ? .whole : .broken(kind(of: result, ""))
    }

    /// Returns the body. The memory of a large one is not kept for later requests.
    private func takeBody() -> [UInt8] {
        defer { if body.capacity > Transport.Limits.bodyRead_bytes { body = [] } }
        return body
    }

    /// Masks user and password in a text of libcurl, which quotes the address of a proxy that it cannot use.
    static func withoutUserInfo(_ text: String) -> String {
        text.replacing(#/([a-zA-Z0-9]+:\/\/)?[^\s'"]*@/#) { "\($0.1 ?? "")••••@" }
    }

    private func kind(of result: CURLcode, _ text: String) -> NetworkError.Kind {
        switch result {
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: .resolve
        case CURLE_COULDNT_CONNECT: .connect
        case CURLE_OPERATION_TIMEDOUT: deliveries > 0 ? .timeout : .connect
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CACERT_BADFILE,
            CURLE_SSL_CIPHER, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_CLIENTCERT:
            .tls
        // With TLS 1.3 a peer refuses our certificate after the handshake, when the request may be under way.
        case CURLE_RECV_ERROR where text.contains("SSL routines") && text.contains(" alert "): .tls
        case CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_GOT_NOTHING, CURLE_PARTIAL_FILE: .reset
        default: .other
        }
    }

    // MARK: Setting options

    private func set(_ option: CURLoption, _ value: Int) throws(TransportError) {
        try check("set option \(option.rawValue)", ccurl_set_long(easy, option, value))
    }

    /// Sets a text. curl copies it.
    private func set(_ option: CURLoption, _ value: String) throws(TransportError) {
        try check("set option \(option.rawValue)", value.withCString { ccurl_set_pointer(easy, option, $0) })
    }

    private func set(_ option: CURLoption, _ value: UnsafeRawPointer) throws(TransportError) {
        try check("set option \(option.rawValue)", ccurl_set_pointer(easy, option, value))
    }

    private func check(_ operation: String, _ code: CURLcode) throws(TransportError) {
        guard code == CURLE_OK else {
            throw TransportError(
                operation: operation, code: code.rawValue, text: String(cString: curl_easy_strerror(code)))
        }
    }

    // MARK: Callbacks

    fileprivate func take(headerLine line: UnsafeBufferPointer<UInt8>) { head.take(line) }

    /// Takes a part of the body. Returns false if the body is longer than anybody should read.
    fileprivate func take(body bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        body.append(contentsOf: bytes.prefix(max(0, kept_bytes - body.count)))
        received += bytes.count
        return received <= max(kept_bytes, Transport.Limits.bodyRead_bytes)
    }

    fileprivate func countDelivery() { deliveries += 1 }
}

// These functions are outside of any actor. curl calls them on the thread that owns the transport.

private func receiveBody(
    _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
    guard let bytes, let context else { return 0 }
    let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    return bytes.withMemoryRebound(to: UInt8.self, capacity: size * count) { bytes in
        transfer.take(body: UnsafeBufferPointer(start: bytes, count: size * count)) ? size * count : 0
    }
}

private func receiveHeader(
    _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
    guard let bytes, let context else { return 0 }
    let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    bytes.withMemoryRebound(to: UInt8.self, capacity: size * count) { bytes in
        transfer.take(headerLine: UnsafeBufferPointer(start: bytes, count: size * count))
    }
    return size * count
}

private func beforeRequest(
    _ context: UnsafeMutableRawPointer?, _: UnsafeMutablePointer<CChar>?, _: UnsafeMutablePointer<CChar>?, _: Int32,
    _: Int32
) -> Int32 {
    if let context { Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue().countDelivery() }
    return CURL_PREREQFUNC_OK
}
