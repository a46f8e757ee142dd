import Status
import Testing
import Wire

/// The leader, in one line and as JSON.
@Suite struct ReplicaStatusTests {
    @Test func `one line says who leads and how far`() {
        var replica = ReplicaStatus()
        #expect(replica.leaderLine == "leader: not known")
        replica.contactAge = 0.3
        #expect(replica.leaderLine == "leader: none" && replica.hasNoLeader)
        replica = TroubledDocuments.standby
        #expect(replica.leaderLine == "leader: pod-1, epoch 5, 0 events behind")
        replica.behind = 12
        (replica.isLeader, replica.holder) = (true, "pod-0")
        #expect(replica.leaderLine == "leader: pod-0 (this replica), epoch 5, 12 events behind")
    }

    @Test func `what was read long ago is not told as news`() {
        var replica = TroubledDocuments.standby
        (replica.error, replica.contactAge) = ("connection refused", 75)
        #expect(replica.leaderLine == "leader: pod-1, epoch 5, 0 events behind, as of 75 s ago")
        replica.holder = ""
        #expect(replica.leaderLine == "leader: not known" && !replica.hasNoLeader)
    }

    @Test func `the section is written and read again, and that of an older lkpush is none`() throws {
        var document = StatusDocument()
        document.replicas = TroubledDocuments.standby
        document.replicas?.spillError = "no space left"
        document.replicas?.contactAge = 0.25
        #expect(try StatusDocument(json: document.json) == document)
        for json in [
            #"{"replicas":[],"intake":{"queue_events":7}}"#, #"{"replicas":null,"intake":{"queue_events":7}}"#,
        ] {
            let older = try StatusDocument(json: Array(json.utf8))
            #expect(older.replicas == nil && older.intake.queue == 7)
        }
        #expect(throws: DecodingFault.self) { _ = try StatusDocument(json: Array(#"{"replicas":[1]}"#.utf8)) }
    }
}
