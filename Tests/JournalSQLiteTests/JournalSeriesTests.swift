import Journal
import JournalSQLite
import Testing
import Wire

/// The series that receivers hold, and the labels that they have.
@Suite struct JournalSeriesTests {
    private let fixture = JournalFileFixture()

    private func commit(
        _ labels: String?, began: [[UInt8]] = [], ended: [[UInt8]] = [], to journal: JournalFile
    ) throws {
        var commit = Commit()
        commit.pushedLabels = labels
        commit.seriesBegan = began
        commit.seriesEnded = ended
        try journal.commit(commit)
    }

    @Test func `labels that change take all series with them, in the commit that changes them`() throws {
        do {
            let journal = try fixture.open()
            try commit("a", began: [[1], [2]], to: journal)
            try commit("a", began: [[3]], to: journal)
            try commit(nil, began: [[4]], ended: [[1]], to: journal)
            #expect(Set(try journal.shipped().elements) == [[2], [3], [4]])
            try commit("b", began: [[3], [5]], ended: [[2]], to: journal)
            try commit("b", began: [[6]], to: journal)
        }
        let journal = try fixture.open()
        #expect(Set(try journal.shipped().elements) == [[3], [5], [6]])
        #expect(journal.numbers.pushedLabels == "b")
    }
}
