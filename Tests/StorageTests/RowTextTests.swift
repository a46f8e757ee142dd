import Foundation
import Storage
import Testing
import Wire

/// Rows as people read them.
@Suite struct RowTextTests {
    @Test func `a row is shown by the names of its columns`() {
        #expect(
            Row.session(.organization(id: "org_a", name: "A\"\n"), user: -5, 1.5).json() == """
                {"table":"participant_activity_metrics","workos_org_id":"org_a","organization_name":"A\\"\\n",\
                "user_id":-5,"activity_date":"\(today)","total_duration_seconds":1.5,"session_count":1}
                """)
        #expect(
            Row.recording(.key(.text("uuid")), "EG_1", nil, startedAt: noon).json() == """
                {"table":"recordings","organization_id":"uuid","egress_id":"EG_1","room_id":"room",\
                "request_type":"room_composite","status":"completed","started_at":"\(CivilTime(noon))",\
                "ended_at":"\(CivilTime(noon))","size_bytes":1,"location":"s3://b/k","error":"",\
                "expires_at":"\(CivilTime(noon))"}
                """)
        #expect(
            Row.present(.room(name: "r"), "PA_1").json() == """
                {"table":"room_presence","organization_of_room":"r","participant_sid":"PA_1","room_sid":"RM_1",\
                "room_id":"room","user_id":1,"identity":"1","joined_at":"\(CivilTime(noon))"}
                """)
        #expect(
            StoreRow.absent(participantSID: "PA_1").json()
                == #"{"table":"room_presence","participant_sid":"PA_1","left":"true"}"#)
    }

    @Test(arguments: WriteContractTests.badRows)
    func `what no calendar and no number can say is JSON too`(_ row: StoreRow) throws {
        #expect(try JSONSerialization.jsonObject(with: Data(row.json().utf8)) is [String: Any])
    }

    @Test(arguments: [Int64.min, .max])
    func `the edges of time do not trap`(_ time_ms: Int64) throws {
        let end = Timestamp(milliseconds: time_ms)
        #expect(Row.recording(.key(.integer(.min)), "", endedAt: end).json().contains("\"ended_at\":\(time_ms)"))
        let day = CivilDate(daysSinceEpoch: Int(time_ms))
        #expect(Row.session(.key(.integer(1)), day: day).json().contains("\"activity_date\":\(time_ms)"))
    }

    @Test func `a long text is cut`() throws {
        let row = Row.present(.room(name: "r"), "PA_1", identity: String(repeating: "ä\u{0}", count: 1_000_000))
        let text = row.json(textLimit: 10)
        #expect(text.contains("\"identity\":\"ä\\u0000ä\\u0000ä\\u0000…\""))
        #expect(row.json().utf8.count < 10_000)
        #expect(try JSONSerialization.jsonObject(with: Data(row.json().utf8)) is [String: Any])
    }
}
