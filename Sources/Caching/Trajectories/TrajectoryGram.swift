import Compute
import Sampling

/// The inner products of everything that moves the state of a run, per frequency band, summed over runs.
///
/// With z₀ the initial state and e_n the outputs as directions dz/ds, the rows and columns are z₀, then each call's
/// conditional e_n, then each call's unconditional one. A sampler whose steps are sums of its states and outputs stays
/// in their span, so norms, angles, curvature, the cache noise and the error of any linear forecaster follow from here.
/// The bands are those of the orthonormal cosine transform and add up to the whole.
public struct TrajectoryGram: Equatable, Sendable {
    /// The number of model calls of each run.
    public let calls: Int
    /// The branches of each run.
    public let branches: GuidanceBranches
    /// The scale of the runs' guidance.
    public let guidanceScale: Double
    /// The number of coefficients of all channels in each band, lowest frequencies first.
    public let bandSizes: [Int]
    /// The number of runs that have been added up.
    public private(set) var runs: Int
    /// The sums over all runs, one symmetric matrix per band.
    public private(set) var sums: [Matrix]

    /// Reduces a recorded run.
    ///
    /// - Parameters:
    ///   - trajectory: A run, recorded to its end.
    ///   - quantity: What each output e_n is taken as: the direction, or another quantity to forecast in.
    ///   - bandCount: The number of frequency bands, 1 to 255.
    public init(of trajectory: Trajectory, as quantity: ForecastQuantity = .direction, bandCount: Int = 8) {
        precondition(trajectory.isComplete, "the run has been recorded to its end")
        let bands = FrequencyBands(shape: trajectory.shape, count: bandCount)
        let vectors =
            [trajectory.states[0]] + trajectory.outputs(of: .conditional, as: quantity)
            + trajectory.outputs(of: .unconditional, as: quantity)
        calls = trajectory.calls.count
        branches = trajectory.branches
        guidanceScale = trajectory.guidanceScale
        runs = 1
        let members = (0..<bandCount).map { band in bands.indices.indices.filter { Int(bands.indices[$0]) == band } }
        bandSizes = members.map { $0.count * trajectory.shape.dropLast(2).reduce(1, *) }
        sums = Self.products(of: vectors, shape: trajectory.shape, members: members)
    }

    /// Sums that were computed before.
    ///
    /// Each of `sums` is symmetric with a row for z₀ and one per call and branch.
    public init(
        calls: Int, branches: GuidanceBranches, guidanceScale: Double, bandSizes: [Int], runs: Int, sums: [Matrix]
    ) {
        let order = 1 + calls * branches.count
        precondition(runs > 0 && sums.count == bandSizes.count, "sums of no run, or of other bands")
        precondition(sums.allSatisfy { $0.rows == order && $0.columns == order }, "sums of another run")
        self.calls = calls
        self.branches = branches
        self.guidanceScale = guidanceScale
        self.bandSizes = bandSizes
        self.runs = runs
        self.sums = sums
    }

    /// The number of frequency bands.
    public var bandCount: Int { bandSizes.count }

    /// The row of a branch's output at a call.
    public func row(of branch: GuidanceBranches, at call: Int) -> Int {
        precondition(branches.contains(branch) && branch.count == 1 && (0..<calls).contains(call), "no such output")
        return 1 + call + (branch == .conditional ? 0 : calls)
    }

    /// Adds runs of the same calls, branches and guidance.
    public mutating func add(_ other: TrajectoryGram) {
        precondition(isLike(other), "products of another kind of run")
        runs += other.runs
        for band in sums.indices {
            for i in sums[band].elements.indices { sums[band].elements[i] += other.sums[band].elements[i] }
        }
    }

    /// The same runs, with `factor` times as much weight beside others.
    public func weighted(by factor: Double) -> TrajectoryGram {
        var result = self
        for band in sums.indices {
            for i in sums[band].elements.indices { result.sums[band].elements[i] *= factor }
        }
        return result
    }

    /// Whether both are of runs with the same calls, branches, guidance and bands.
    public func isLike(_ other: TrajectoryGram) -> Bool {
        calls == other.calls && branches == other.branches && guidanceScale == other.guidanceScale
            && bandSizes == other.bandSizes
    }

    /// The mean inner product of two rows in one band.
    public func mean(_ i: Int, _ j: Int, band: Int) -> Double { sums[band][i, j] / Double(runs) }

    /// The mean inner products of one kind of output among themselves, (calls, calls), in one band.
    public func products(of output: GuidanceOutput, band: Int) -> Matrix {
        let sum = sums[band]
        let terms = weights(of: output)
        var result = Matrix(rows: calls, columns: calls)
        for (a, x) in terms {
            for (b, y) in terms {
                let factor = x * y / Double(runs)
                let (top, left) = (row(of: a, at: 0), row(of: b, at: 0))
                for i in 0..<calls { for j in 0..<calls { result[i, j] += factor * sum[top + i, left + j] } }
            }
        }
        return result
    }

    /// The branches that make up an output, with their weights.
    private func weights(of output: GuidanceOutput) -> [(GuidanceBranches, Double)] {
        guard branches.contains(.unconditional) else { return [(.conditional, 1)] }
        return switch output {
        case .guided: [(.conditional, guidanceScale), (.unconditional, 1 - guidanceScale)]
        case .conditional: [(.conditional, 1)]
        case .unconditional: [(.unconditional, 1)]
        }
    }

    /// Transforms every vector, gathers each band's coefficients in Double, and multiplies.
    private static func products(of vectors: [Tensor], shape: [Int], members: [[Int]]) -> [Matrix] {
        let transform = CosineTransform(shape: shape)
        let (planes, plane) = (shape.dropLast(2).reduce(1, *), shape.suffix(2).reduce(1, *))
        let coefficients = vectors.map { vector in
            let copy = vector.reshaped(shape)
            transform.forward(copy)
            return copy
        }
        return members.map { members in
            let width = members.count * planes
            var gathered = [Double](repeating: 0, count: vectors.count * max(width, 1))
            for (row, vector) in coefficients.enumerated() {
                var target = row * width
                let values = vector.values
                for index in 0..<planes {
                    for member in members {
                        gathered[target] = Double(values[index * plane + member])
                        target += 1
                    }
                }
            }
            var product = Matrix(rows: vectors.count, columns: vectors.count)
            if width > 0 {
                BLAS.addOuterProduct(
                    n: vectors.count, k: width, gathered, lda: width, into: &product.elements, ldc: vectors.count)
            }
            for i in 0..<product.rows { for j in 0..<i { product[i, j] = product[j, i] } }
            return product
        }
    }
}

/// Whose output is measured: that of one guidance branch, or the guided sum that moves the state.
public enum GuidanceOutput: String, CaseIterable, Codable, Sendable {
    /// u + g (c − u).
    case guided
    /// c, of the branch with the condition.
    case conditional
    /// u, of the branch with the null class.
    case unconditional
}
