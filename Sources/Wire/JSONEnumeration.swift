/// An enum value as protojson writes it: a name, or a number if the writer's schema has no name for it.
/// https://protobuf.dev/programming-guides/json/
package enum JSONEnumeration: Hashable, Sendable {
    case name(JSONName)
    case number(Int64)
}
