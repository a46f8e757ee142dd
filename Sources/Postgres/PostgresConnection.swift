import CPostgres
import Glibc
package import Platform
package import Storage
import Wire

/// A connection of libpq. No call waits longer than its deadline, and another thread can end every wait.
///
/// It belongs to the thread that made it. After an error of the kind `connectionLost` it is closed, and stays so.
package final class PostgresConnection {
    /// Nil when the connection is gone.
    private var handle: OpaquePointer?
    private let settings: PostgresSettings
    private let interruption: Interruption
    private let redacted: (String) -> String
    /// The warnings of the server since they were last taken.
    private let notices = Notices()
    private let owner = ThreadOwner()
    private let time = SystemTime()
    /// True while the server may be working on a statement.
    private var isWaiting = false
    /// The time limit of a statement now.
    package var statementTimeout: Duration

    /// Connects. Wraps `PQconnectStartParams` and `PQconnectPoll`.
    package init(
        _ address: PostgresAddress, _ settings: PostgresSettings, _ interruption: Interruption
    ) throws(StoreError) {
        self.settings = settings
        self.interruption = interruption
        statementTimeout = settings.statementTimeout
        let handle = Self.start(address, settings, notices)
        self.handle = handle
        // A password may also come from a file or the environment. Only libpq knows that one.
        let password = handle.flatMap { PQpass($0) }.map { String(cString: $0) } ?? ""
        redacted = { address.redacted($0, and: [password]) }
        let deadline = time.monotonic() + settings.connectTimeout * address.hostCount
        while true {
            let state = PQconnectPoll(handle)
            if state == PGRES_POLLING_OK { break }
            if state == PGRES_POLLING_FAILED { throw lost("connect") }
            try wait("connect", for: state == PGRES_POLLING_READING ? POLLIN : POLLOUT, until: deadline)
        }
        PQsetnonblocking(handle, 1)
    }

    deinit { close() }

    /// Closes the connection. If the server still works on a statement, that is cancelled. Wraps `PQfinish`.
    package func close() {
        guard let handle else { return }
        if isWaiting, let request = Canceller.Request(handle) { Canceller.send(request) }
        PQfinish(handle)
        self.handle = nil
    }

    /// True while a transaction is open. Wraps `PQtransactionStatus`.
    package var isInTransaction: Bool { handle.map { PQtransactionStatus($0) != PQTRANS_IDLE } ?? false }

    /// The encoding of the database. Wraps `PQparameterStatus`.
    package var serverEncoding: String? {
        handle.flatMap { PQparameterStatus($0, "server_encoding") }.map { String(cString: $0) }
    }

    /// The version of the server, such as 150004; 0 where it is not connected. Wraps `PQserverVersion`.
    package var serverVersion: Int { handle.map { Int(PQserverVersion($0)) } ?? 0 }

    /// The connection can be used.
    package var isOpen: Bool { handle != nil }

    // MARK: Requests

    /// Runs any number of statements without parameters. Wraps `PQsendQuery`.
    package func run(_ operation: String, script: String) throws(StoreError) {
        _ = try request(operation) { PQsendQuery($0, script) }
    }

    /// Prepares a statement under a name. Wraps `PQsendPrepare`.
    package func prepare(
        _ operation: String, _ name: String, _ sql: String, _ types: [PostgresValue.TypeNumber]
    ) throws(StoreError) {
        _ = try request(operation) { PQsendPrepare($0, name, sql, Int32(types.count), types) }
    }

    /// Returns the type of the first parameter of a prepared statement. Wraps `PQsendDescribePrepared`.
    package func firstParameterType(
        _ operation: String, ofPrepared name: String
    ) throws(StoreError) -> PostgresValue.TypeNumber? {
        try request(operation) { PQsendDescribePrepared($0, name) }.firstParameterType
    }

    /// Runs one statement.
    package func execute(_ operation: String, _ call: PostgresCall) throws(StoreError) -> QueryResult {
        try request(operation) { call.send($0) ? 1 : 0 }
    }

    /// Sends one request, and returns the last of its answers.
    private func request(
        _ operation: String, _ send: (OpaquePointer) -> Int32
    ) throws(StoreError) -> QueryResult {
        let handle = try open(operation)
        let deadline = deadline
        isWaiting = true
        guard send(handle) == 1 else { throw lost(operation) }
        try flush(operation, until: deadline)
        var last: QueryResult?
        var error: StoreError?
        while let next = try answer(operation, until: deadline) {
            // The first error is the reason for all that follow.
            if isError(next) {
                error = error ?? failure(operation, next)
                if self.handle == nil { break }
            }
            last = consume next
        }
        isWaiting = false
        if let error { throw error }
        guard let last else { throw lost(operation) }
        return last
    }

    /// Sends many requests before it reads the first answer, in one round trip. The requests are in groups. After an
    /// error the server skips the rest of the group, and goes on with the next one. Wraps `PQenterPipelineMode`.
    ///
    /// - Returns: for each group the number of rows that each request changed, or the first error of the group.
    package func pipeline(
        _ operation: String, groups: [[PostgresCall]]
    ) throws(StoreError) -> [Result<[Int], StoreError>] {
        try pipelined(operation, groups) { $0.changes }
    }

    /// Does the same as `pipeline`, and returns the rows of each request.
    package func rows(
        _ operation: String, groups: [[PostgresCall]]
    ) throws(StoreError) -> [Result<[[[BinaryValue]]], StoreError>] {
        try pipelined(operation, groups) { $0.values() }
    }

    /// Returns the codes of the warnings that the server sent since the last call, and forgets them.
    package func takeWarnings() -> [String] { notices.take() }

    private func pipelined<Answer>(
        _ operation: String, _ groups: [[PostgresCall]], _ read: (borrowing QueryResult) -> Answer
    ) throws(StoreError) -> [Result<[Answer], StoreError>] {
        let handle = try open(operation)
        isWaiting = true
        guard PQenterPipelineMode(handle) == 1 else { throw lost(operation) }
        for group in groups {
            for call in group { guard call.send(handle) else { throw lost(operation) } }
            guard PQpipelineSync(handle) == 1 else { throw lost(operation) }
        }
        try flush(operation, until: deadline)
        var all: [Result<[Answer], StoreError>] = []
        for _ in groups { all.append(try answers(operation, read)) }
        isWaiting = false
        guard PQexitPipelineMode(handle) == 1 else { throw lost(operation) }
        return all
    }

    /// Reads the answers to one group of a pipeline.
    private func answers<Answer>(
        _ operation: String, _ read: (borrowing QueryResult) -> Answer
    ) throws(StoreError) -> Result<[Answer], StoreError> {
        var found: [Answer] = []
        var error: StoreError?
        while true {
            // Each statement has the full time limit. Between two answers, libpq reports with nil that a statement is
            // done.
            guard let result = try answer(operation, until: deadline) else { continue }
            if result.status == PGRES_PIPELINE_SYNC { break }
            if result.status == PGRES_PIPELINE_ABORTED { continue }
            if isError(result) {
                error = error ?? failure(operation, result)
                if let error, handle == nil { throw error }
            } else {
                found.append(read(result))
            }
        }
        return error.map { .failure($0) } ?? .success(found)
    }

    private var deadline: MonotonicTime { time.monotonic() + statementTimeout + settings.grace }

    private func isError(_ result: borrowing QueryResult) -> Bool {
        ![PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY].contains(result.status)
    }

    private func open(_ operation: String) throws(StoreError) -> OpaquePointer {
        owner.assertOwned("a database connection")
        guard let handle else { throw StoreError(.connectionLost, operation: operation, text: "no connection") }
        return handle
    }

    /// Sends everything that is queued. It also reads what arrives meanwhile, or both sides could wait for each other
    /// for ever.
    private func flush(_ operation: String, until deadline: MonotonicTime) throws(StoreError) {
        while let handle {
            let state = PQflush(handle)
            if state == 0 { return }
            guard state == 1 else { throw lost(operation) }
            let ready = try wait(operation, for: POLLIN | POLLOUT, until: deadline)
            if ready & POLLIN != 0, PQconsumeInput(handle) == 0 { throw lost(operation) }
        }
    }

    /// The next answer to the current request. Nil after the last one.
    private func answer(_ operation: String, until deadline: MonotonicTime) throws(StoreError) -> QueryResult? {
        guard let handle else { throw StoreError(.connectionLost, operation: operation, text: "no connection") }
        while PQisBusy(handle) == 1 {
            try wait(operation, for: POLLIN, until: deadline)
            if PQconsumeInput(handle) == 0 { throw lost(operation) }
        }
        return PQgetResult(handle).map { QueryResult($0) }
    }

    /// Waits for the socket. Throws at the deadline, and at an interruption.
    @discardableResult
    private func wait(
        _ operation: String, for events: Int32, until deadline: MonotonicTime
    ) throws(StoreError) -> Int32 {
        while true {
            let left_ms = deadline.since(time.monotonic()).milliseconds
            if interruption.isInterrupted { throw lost(operation, "given up, because lkpush stops") }
            guard left_ms > 0 else { throw lost(operation, "the database did not answer in time") }
            var files = [
                pollfd(fd: handle.map { PQsocket($0) } ?? -1, events: Int16(events), revents: 0),
                pollfd(fd: interruption.file, events: Int16(POLLIN), revents: 0),
            ]
            let count = poll(&files, nfds_t(files.count), Int32(clamping: left_ms))
            if count < 0 && errno != EINTR { throw lost(operation, "poll failed with error \(errno)") }
            if files[0].revents != 0 { return Int32(files[0].revents) }
        }
    }

    // MARK: Errors

    private func failure(_ operation: String, _ result: borrowing QueryResult) -> StoreError {
        let isAlive = handle.map { PQstatus($0) == CONNECTION_OK } ?? false
        let error = StoreError(operation, result, isAlive: isAlive)
        if error.kind == .connectionLost {
            isWaiting = false
            close()
        }
        return StoreError(
            error.kind, operation: operation, code: error.code, text: redacted(error.text), isPolicy: error.isPolicy)
    }

    /// Closes the connection, and makes the error that says why. Wraps `PQerrorMessage`.
    private func lost(_ operation: String, _ reason: String? = nil) -> StoreError {
        let text = reason ?? handle.flatMap { PQerrorMessage($0) }.map { String(cString: $0) } ?? "out of memory"
        let line = text.split(whereSeparator: \.isNewline).joined(separator: "; ")
        if reason == nil { isWaiting = false }
        close()
        return StoreError(.connectionLost, operation: operation, text: redacted(line.isEmpty ? "no answer" : line))
    }
}
