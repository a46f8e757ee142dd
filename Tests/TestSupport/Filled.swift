/// The fields of `sample` that have the same value as in `plain`. A sample that tests a codec must have none.
package func unfilled<Value>(_ sample: Value, _ plain: Value) -> [String] {
    zip(Mirror(reflecting: sample).children, Mirror(reflecting: plain).children).compactMap { mine, other in
        String(describing: mine.value) == String(describing: other.value) ? mine.label ?? "?" : nil
    }
}
