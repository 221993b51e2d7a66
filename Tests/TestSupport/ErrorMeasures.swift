/// Normalised mean squared error: sum of squared differences over the sum of squares of the reference.
///
/// Infinite when the shapes differ or when anything is not finite, so that a broken result never passes.
public func normalisedMeanSquaredError<T: BinaryFloatingPoint, R: BinaryFloatingPoint>(
    _ actual: some Collection<T>, against reference: some Collection<R>
) -> Double {
    guard actual.count == reference.count else { return .infinity }
    var error = 0.0
    var energy = 0.0
    for (a, r) in zip(actual, reference) {
        let difference = Double(a) - Double(r)
        error += difference * difference
        energy += Double(r) * Double(r)
    }
    guard error.isFinite, energy.isFinite else { return .infinity }
    return energy > 0 ? error / energy : (error == 0 ? 0 : .infinity)
}

/// The largest difference as a share of the reference's largest absolute value.
public func largestRelativeDifference<T: BinaryFloatingPoint, R: BinaryFloatingPoint>(
    _ actual: some Collection<T>, against reference: some Collection<R>
) -> Double {
    guard actual.count == reference.count else { return .infinity }
    let scale = reference.reduce(0.0) { max($0, abs(Double($1))) }
    var largest = 0.0
    for (a, r) in zip(actual, reference) {
        let difference = abs(Double(a) - Double(r))
        guard difference.isFinite else { return .infinity }
        largest = max(largest, difference)
    }
    return scale > 0 ? largest / scale : (largest == 0 ? 0 : .infinity)
}
