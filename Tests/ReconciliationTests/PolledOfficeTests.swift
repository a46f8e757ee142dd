import Recording
import Simulation
import Testing

/// Simulated days with lost webhooks, crashes and an API that lies.
@Suite struct PolledOfficeTests {
    static let losses = PolledOffice.Setup(loss: 0.002, outage: 9_000..<9_300)

    @Test func `lost webhooks, an outage and crashes are corrected`() throws {
        var setup = Self.losses
        setup.size = OfficeSize(organizations: 5, rooms: 6, users: 40, length: .seconds(10 * 3_600))
        var office = PolledOffice(setup)
        try office.live()
        #expect(!office.corrections.isEmpty)
        #expect(office.longestWrong <= 5)
        let (life, truth) = (office.life, office.truth)
        #expect(Set(life.recordings) == truth.recordings)
        #expect(life.recordings.count == truth.recordings.count)
        let estimated = office.corrections.count {
            if case .endParticipant(_, nil) = $0 { true } else { false }
        }
        let difference = life.sessions_seconds - truth.sessions_seconds
        #expect(abs(difference) <= truth.sessions_seconds * 0.001, "\(difference) of \(truth.sessions_seconds) s")
        #expect(difference <= 60 * Double(estimated))
        for (name, value) in life.series where name.contains("_active") { #expect(value == 0, "\(name)") }
    }

    @Test func `without polls the same losses stay`() throws {
        var setup = Self.losses
        setup.polls = false
        var office = PolledOffice(setup)
        try office.live()
        #expect(office.longestWrong > 60)
    }

    /// A shorter day without losses.
    private static func honest(_ lies: Set<APILie>) -> PolledOffice.Setup {
        var setup = PolledOffice.Setup(lies: lies)
        setup.size = OfficeSize(organizations: 2, rooms: 4, users: 24, length: .seconds(3 * 3_600))
        setup.size.crashes = false
        return setup
    }

    /// The same day without polls.
    private static let alone = Result {
        var setup = honest([])
        setup.polls = false
        var office = PolledOffice(setup)
        try office.live()
        return office
    }

    @Test(arguments: APILie.allCases)
    func `an API that lies makes no number wrong`(lie: APILie) throws {
        let alone = try Self.alone.get()
        var lied = PolledOffice(Self.honest([lie]))
        try lied.live()
        #expect(lied.calls > 500)
        #expect(lied.life.series == alone.life.series)
        #expect(lied.gauges == alone.gauges)
        #expect(lied.life.rows == alone.life.rows)
    }

    @Test func `fifty kills change nothing`() throws {
        var setup = Self.losses
        var whole = PolledOffice(setup)
        try whole.live()
        setup.kills = 50
        var killed = PolledOffice(setup)
        try killed.live()
        #expect(killed.life.series == whole.life.series)
        #expect(killed.life.rows.count == whole.life.rows.count)
        #expect(abs(killed.life.sessions_seconds - whole.life.sessions_seconds) < 0.001)
        #expect(killed.life.recordings.sorted() == whole.life.recordings.sorted())
    }
}
