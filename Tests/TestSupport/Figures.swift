/// Prints a figure beside its bound, and says whether it is below: a run of the tests shows how near each one comes.
public func figure(_ name: String, _ value: Double, below bound: Double) -> Bool {
    print("figure: \(name): \(value) (bound \(bound))")
    return value < bound
}
