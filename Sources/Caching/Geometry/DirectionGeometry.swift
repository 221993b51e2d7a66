import Glibc
import Sampling

/// The geometry of one series of outputs, from inner products alone.
public struct DirectionGeometry: Equatable, Sendable {
    /// The measures at each call.
    public let calls: [DirectionMeasures<Double?>]

    /// Measures one kind of output.
    ///
    /// Of a Gram of several runs these are the measures of the mean inner products, which weigh runs by their size; for
    /// the mean of the measures take one Gram per run.
    ///
    /// - Parameters:
    ///   - gram: The inner products.
    ///   - output: Whose output.
    ///   - calls: The run's model calls.
    public init(of gram: TrajectoryGram, _ output: GuidanceOutput, calls: [ModelCall]) {
        precondition(calls.count == gram.calls, "\(calls.count) calls for products of \(gram.calls)")
        let bands = (0..<gram.bandCount).map { gram.products(of: output, band: $0) }
        var whole = Matrix(rows: calls.count, columns: calls.count)
        for band in bands { for i in whole.elements.indices { whole.elements[i] += band.elements[i] } }
        self.calls = calls.indices.map { Self.measures(at: $0, of: calls, whole, bands) }
    }

    private static func measures(
        at n: Int, of calls: [ModelCall], _ whole: Matrix, _ bands: [Matrix]
    ) -> DirectionMeasures<Double?> {
        let call = calls[n]
        let squared = max(0, whole[n, n])
        let norm = squared.squareRoot()
        var result = DirectionMeasures<Double?>(
            norm: norm, arcLength: abs(call.levelAfter.pathPosition - call.level.pathPosition) * norm,
            turningAngle: nil, curvature: nil, noise: nil, noiseCorrelation: nil, noiseGain: nil,
            noiseEnergy: Array(repeating: nil, count: bands.count))
        guard n > 0, squared > 0 else { return result }

        let noise = Self.noise(whole, n, n)
        result.noise = (max(0, noise) / squared).squareRoot()
        result.noiseEnergy = bands.map { max(0, Self.noise($0, n, n)) / squared }
        if whole[n - 1, n - 1] > 0 {
            let angle = angle(whole[n, n - 1], squared, whole[n - 1, n - 1])
            let length = abs(call.level.pathPosition - calls[n - 1].level.pathPosition) * norm
            result.turningAngle = angle
            result.curvature = length > 0 ? angle / length : nil
        }
        guard n > 1 else { return result }
        let (before, product) = (Self.noise(whole, n - 1, n - 1), Self.noise(whole, n, n - 1))
        if before > 0 {
            result.noiseGain = product / before
            result.noiseCorrelation = noise > 0 ? product / (noise * before).squareRoot() : nil
        }
        return result
    }

    /// ⟨q_n, q_m⟩ of q_n = e_{n−1} − e_n.
    private static func noise(_ e: Matrix, _ n: Int, _ m: Int) -> Double {
        e[n - 1, m - 1] - e[n - 1, m] - e[n, m - 1] + e[n, m]
    }

    /// The angle between two vectors of which the products are known: down to about 1e-8, where 1 − cos² is lost.
    private static func angle(_ product: Double, _ first: Double, _ second: Double) -> Double {
        atan2(max(0, first * second - product * product).squareRoot(), product)
    }
}
