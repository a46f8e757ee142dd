extension ScriptedReceiver {
    /// The messages that a receiver reads, and its answer to the others.
    package enum Dialect: Sendable, CaseIterable {
        /// It reads 1.0 and 2.0, and says what it wrote of a body of 2.0.
        /// https://prometheus.io/docs/specs/prw/remote_write_spec_2_0/#required-written-response-headers
        case both
        /// It reads 1.0, and answers 415 to 2.0 as its specification asks for.
        case answering415
        /// It reads 1.0. A body of 2.0 looks to it like an empty one of 1.0: it answers 204 and stores nothing, as
        /// Prometheus 2.42 and VictoriaMetrics do.
        case answering204
        /// It reads 1.0, and takes the parameter `proto` for a bad request, as Mimir does.
        case answering400
    }

    /// The headers of an answer that say what was written of a body of 2.0.
    package static func written(samples: Int, histograms: Int = 0, exemplars: Int = 0) -> [String: String] {
        [
            "X-Prometheus-Remote-Write-Samples-Written": String(samples),
            "X-Prometheus-Remote-Write-Histograms-Written": String(histograms),
            "X-Prometheus-Remote-Write-Exemplars-Written": String(exemplars),
        ]
    }

    /// Reads one request, and says how it is answered.
    struct Reader {
        private let version: WriteRequest.Version
        /// Nil if it is no body of remote write, which is nobody's business here.
        private let request: Result<WriteRequest, WriteRequest.RequestFault>?

        init(_ message: HTTPMessage) {
            version = .init(contentType: message.headers["content-type"])
            let isBody = message.headers["content-encoding"] == "snappy"
            let version = version
            request =
                isBody
                ? Result { () throws(WriteRequest.RequestFault) in try WriteRequest(compressed: message.body, version) }
                : nil
        }

        /// What becomes of a scripted answer, and whether the samples are stored.
        func answer(
            _ scripted: Answer, _ dialect: Dialect, _ store: inout SampleStore?
        ) -> (answer: Answer, isRead: Bool) {
            let isGood = (200..<300).contains(scripted.status)
            guard isGood, [.respond, .loseAnswer].contains(scripted.behaviour) else { return (scripted, false) }
            guard let request else { return (scripted, true) }
            var answer = scripted
            switch (dialect, version, request) {
            case (.both, .v2, .failure(let fault)): return (Answer(400, body: fault.description), false)
            case (.answering415, .v2, _): return (Answer(415, body: "unsupported media type"), false)
            case (.answering204, .v2, _): return (answer, false)
            case (.answering400, .v2, _): return (Answer(400, body: "unknown proto message"), false)
            case (_, _, .success(let request)):
                let outcome = store?.take(request) ?? .init(written: request.sampleCount)
                if let refusal = outcome.refusal {
                    answer = Answer(400, body: refusal, behaviour: scripted.behaviour)
                }
                let isTold = answer.headers.keys.contains { $0.lowercased().hasSuffix("-written") }
                if version == .v2 && answer.tellsWritten && !isTold {
                    let headers = ScriptedReceiver.written(
                        samples: outcome.written, histograms: request.histogramCount, exemplars: request.exemplarCount)
                    answer.headers.merge(headers) { $1 }
                }
                return (answer, outcome.refusal == nil)
            case (_, .v1, .failure): return (answer, true)
            }
        }
    }
}
