/// An enum value as protojson writes it: its name, or its number where the writer's schema has no name for it.
/// https://protobuf.dev/programming-guides/json/
package enum JSONEnumeration: Hashable, Sendable {
    case name(JSONName)
    case number(Int64)
}
