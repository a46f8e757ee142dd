/// A capability that has its place in the document, and that this version does not have. It has no fields.
package struct LaterStatus: StatusObject {
    package init() {}

    package mutating func visit<Visitor: StatusVisitor>(_ visitor: inout Visitor) throws(Visitor.Fault) {}
}
