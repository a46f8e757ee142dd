import Storage
import Testing
import Wire

/// How every adapter finds the organization of a room.
@Suite struct LookupContractTests {
    @Test(arguments: Adapter.allCases)
    func `a room has its organization and limit`(_ adapter: Adapter) throws {
        let (store, database) = try ScratchDatabase(adapter).open()
        let key = try database.add(organization: "org_a", name: "Ann's \"A\"", minutes: 1_200)
        try database.add(room: "room", of: key)
        #expect(
            try store.organization(ofRoom: "room")
                == .success(
                    Organization(id: "org_a", name: "Ann's \"A\"", key: key, recordingLimit_minutes: 1_200)))
    }

    @Test(arguments: Adapter.allCases)
    func `a licence that is missing or null allows nothing`(_ adapter: Adapter) throws {
        let (store, database) = try ScratchDatabase(adapter).open()
        try database.add(room: "none", of: try database.add(organization: "a"))
        try database.add(room: "null", of: try database.add(organization: "b", minutes: .some(nil)))
        #expect(try store.organization(ofRoom: "none").get().recordingLimit_minutes == 0)
        #expect(try store.organization(ofRoom: "null").get().recordingLimit_minutes == 0)
    }

    @Test(arguments: Adapter.allCases)
    func `each failure has its reason`(_ adapter: Adapter) throws {
        let (store, database) = try ScratchDatabase(adapter).open()
        try database.add(room: "orphan", of: nil)
        try database.add(room: "dangling", of: .integer(99))
        try database.add(room: "null id", of: try database.add(organization: nil))
        try database.add(room: "empty id", of: try database.add(organization: ""))
        try database.add(room: "no name", of: try database.add(organization: "org", name: nil))
        #expect(try store.organization(ofRoom: "unknown") == .failure(.room_not_found))
        #expect(try store.organization(ofRoom: "") == .failure(.room_not_found))
        #expect(try store.organization(ofRoom: "' OR 1=1 --") == .failure(.room_not_found))
        #expect(try store.organization(ofRoom: "orphan") == .failure(.no_organization))
        #expect(try store.organization(ofRoom: "dangling") == .failure(.no_organization))
        #expect(try store.organization(ofRoom: "null id") == .failure(.no_org_id))
        #expect(try store.organization(ofRoom: "empty id") == .failure(.no_org_id))
        #expect(try store.organization(ofRoom: "no name").get().name == "")
    }

    @Test(arguments: Adapter.allCases)
    func `many rooms are answered in their order`(_ adapter: Adapter) throws {
        let (store, database) = try ScratchDatabase(adapter).open()
        try database.add(room: "a", of: try database.add(organization: "org_a", minutes: 60))
        try database.add(room: "b", of: try database.add(organization: "org_b"))
        try database.add(room: "e\u{301}", of: try database.add(organization: "org_e"))
        try database.add(room: "orphan", of: nil)
        let asked = ["b", "unknown", "a", "orphan", "b", "\u{E9}", "e\u{301}", "", "it's {\"b\"}, \\"]
        let answers = try store.organizations(ofRooms: asked)
        #expect(answers.map { try? $0.get().id } == ["org_b", nil, "org_a", nil, "org_b", nil, "org_e", nil, nil])
        #expect(answers[3] == .failure(.no_organization))
        #expect(try answers[2].get().recordingLimit_minutes == 60)
        #expect(try store.organizations(ofRooms: []) == [])
        for (room, answer) in zip(asked, answers) { #expect(try store.organization(ofRoom: room) == answer) }
    }

    @Test(arguments: Adapter.allCases)
    func `a query of the user is asked instead`(_ adapter: Adapter) throws {
        let query = try LookupQuery(
            sql: """
                SELECT 'org:room' AS org_id, CAST(:room AS text) AS org_name, 7 AS organization_pk -- :room
                WHERE :room <> 'unknown'
                """)
        let (store, _) = try ScratchDatabase(adapter).open(lookup: query)
        #expect(
            try store.organization(ofRoom: "r1").get()
                == Organization(id: "org:room", name: "r1", key: .integer(7), recordingLimit_minutes: 0))
        #expect(try store.organization(ofRoom: "unknown") == .failure(.room_not_found))
    }

    @Test(arguments: Adapter.allCases)
    func `a query that returns something else is an error that says so`(_ adapter: Adapter) throws {
        let (store, _) = try ScratchDatabase(adapter).open(
            lookup: try LookupQuery(sql: "SELECT :room AS id, 1 AS org_id"))
        let error = #expect(throws: StoreError.self) { try store.organization(ofRoom: "secret-room") }
        #expect(error?.kind == .other)
        #expect(error?.text.contains("id, org_id") == true)
        #expect(error?.description.contains("secret-room") == false)
    }

    @Test(arguments: Adapter.allCases)
    func `a query with other parameters is an error, not a crash`(_ adapter: Adapter) throws {
        let (store, _) = try ScratchDatabase(adapter).open(
            lookup: try LookupQuery(sql: "SELECT :room AS id, $2 AS org_id"))
        #expect(throws: StoreError.self) { try store.organization(ofRoom: "r") }
    }

    @Test func `a query without the room is refused`() {
        #expect(throws: LookupQuery.QueryFault.self) { try LookupQuery(sql: "SELECT ':room', \":room\", x::room") }
        #expect(throws: LookupQuery.QueryFault.self) { try LookupQuery(sql: "SELECT :room_id /* :room */") }
        #expect(throws: LookupQuery.QueryFault.self) { try LookupQuery(sql: "") }
    }
}
