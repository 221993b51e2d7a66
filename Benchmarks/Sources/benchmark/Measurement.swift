/// The time of an operation that has been checked against a reference.
struct Measurement {
    private static let repeats = 15

    /// What was timed, with its shape.
    let name: String
    /// The median over the repeats.
    let seconds: Double
    /// Two per multiplication and addition.
    let operations: Double

    /// Checks an operation, then times it; one that computes something else than its reference has no speed.
    ///
    /// - Parameters:
    ///   - name: what it is, with its shape.
    ///   - operations: two per multiplication and addition.
    ///   - error: the error of its result, to be called once the operation has run.
    ///   - bound: the largest error that is right.
    ///   - operation: what is timed.
    /// - Throws: ``WrongResult``.
    init(_ name: String, operations: Double, error: () -> Double, bound: Double, _ operation: () -> Void) throws {
        operation()
        let found = error()
        guard found < bound else { throw WrongResult(name: name, error: found, bound: bound) }
        let times = (0..<Self.repeats).map { _ in
            let duration = ContinuousClock().measure(operation)
            return Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
        }
        self.name = name
        self.operations = operations
        seconds = times.sorted()[times.count / 2]
    }

    /// One row of the table.
    var row: String {
        let rate = Self.fixed(operations / seconds / 1e9, digits: 1)
        return "| \(name) | \(Self.fixed(seconds * 1e3, digits: 3)) | \(rate) |"
    }

    private static func fixed(_ number: Double, digits: Int) -> String {
        let scale = (0..<digits).reduce(1.0) { power, _ in power * 10 }
        return "\((number * scale).rounded() / scale)"
    }

    /// An operation that computed something else than its reference.
    struct WrongResult: Error, CustomStringConvertible {
        let name: String
        let error: Double
        let bound: Double

        var description: String { "\(name): the error is \(error), above \(bound); nothing was timed" }
    }
}
