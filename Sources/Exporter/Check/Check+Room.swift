import Matching
import Recording
import Storage

/// The part of `lkpush check` about one room: its organization, and how it was found.
extension Check {
    /// - Parameter store: the database, if its tables are there. It is asked only where organizations come from it.
    static func room(_ name: String, _ settings: Settings, _ store: ApplicationStore?, _ report: inout CheckReport) {
        let subject = "room \(name)"
        switch settings.organizationSource {
        case .fixed:
            report.tell(
                .ok, subject, "\(settings.organizationID), as of every room: ORG_SOURCE=fixed and ORG_ID say so")
        case .metadata: room(name, inMetadataOf: settings, subject, &report)
        case .roomName: room(name, by: settings.organizationPattern, subject, &report)
        case .database:
            guard let store else {
                return report.tell(.fault, subject, "unknown, because the database cannot be asked; see above")
            }
            room(name, in: store, hasQuery: !settings.organizationLookupSQL.isEmpty, subject, &report)
        }
    }

    private static func room(_ name: String, by text: String, _ subject: String, _ report: inout CheckReport) {
        do throws(PatternFault) {
            switch try Pattern(text).match(name) {
            case .matched(let groups):
                let id = groups["org"] ?? ""
                let called = groups["name"].map { ", called \($0)" } ?? ""
                if Recorder.isOrganizationID(id) {
                    return report.tell(.ok, subject, "\(id)\(called): the group org of ORG_ROOM_PATTERN")
                }
                report.tell(
                    .fault, subject,
                    "unknown (no_org_id): ORG_ROOM_PATTERN matches, and its group org is empty or too long. Change "
                        + "ORG_ROOM_PATTERN, \(text), or the name")
            case .notMatched:
                report.tell(
                    .fault, subject,
                    "unknown (room_not_found): ORG_ROOM_PATTERN, \(text), does not match. Change the pattern, or the name"
                )
            case .gaveUp:
                report.tell(
                    .fault, subject,
                    "unknown (lookup_error): ORG_ROOM_PATTERN, \(text), takes too many steps. Make it simpler, with ^ at "
                        + "its beginning")
            }
        } catch {
            report.tell(.fault, subject, "unknown: ORG_ROOM_PATTERN: \(error)")
        }
    }

    private static func room(
        _ name: String, in store: ApplicationStore, hasQuery: Bool, _ subject: String, _ report: inout CheckReport
    ) {
        let source = hasQuery ? "ORG_LOOKUP_SQL" : "the tables rooms and organizations"
        do throws(StoreError) {
            switch try store.organization(ofRoom: name) {
            case .success(let organization):
                let called = organization.name.isEmpty ? "" : ", called \(organization.name)"
                report.tell(
                    .ok, subject,
                    "\(organization.id)\(called): found by \(source)")
            case .failure(.room_not_found):
                report.tell(
                    .fault, subject,
                    "unknown (room_not_found): \(source) have no such room. rooms.id must be the name of the room in "
                        + "LiveKit; where another column is, set ORG_LOOKUP_SQL")
            case .failure(.no_organization):
                report.tell(
                    .fault, subject,
                    "unknown (no_organization): the room is there without an organization. Set its organization_id to "
                        + "the id of an organization that exists")
            case .failure(.no_org_id):
                report.tell(
                    .fault, subject,
                    "unknown (no_org_id): its organization has no workos_org_id. Set it: it becomes the label org_id")
            case .failure(let reason): report.tell(.fault, subject, "unknown (\(reason.rawValue))")
            }
        } catch {
            report.tell(.fault, subject, "unknown (lookup_error): \(error)")
        }
    }
}
