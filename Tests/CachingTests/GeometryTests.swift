import Compute
import Glibc
import TestSupport
import Testing

@testable import Caching
@testable import Sampling

/// Angles, curvature, cache noise and frames, against curves whose geometry is known.
@Suite struct GeometryTests {
    /// Calls at given path positions, the last one ending where the list does.
    private func calls(_ positions: [Double]) -> [ModelCall] {
        positions.indices.dropLast().map {
            ModelCall(
                index: $0, step: $0, timestep: positions[$0], level: .flow(Flow(), time: positions[$0]),
                levelAfter: .flow(Flow(), time: positions[$0 + 1]))
        }
    }

    /// The geometry of given outputs of an unguided run, in one band.
    private func geometry(_ outputs: [[Double]], _ calls: [ModelCall]) -> [DirectionMeasures<Double?>] {
        let vectors = [[Double](repeating: 0, count: outputs[0].count)] + outputs
        var products = Matrix(rows: vectors.count, columns: vectors.count)
        for (i, a) in vectors.enumerated() {
            for (j, b) in vectors.enumerated() { products[i, j] = zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
        }
        let gram = TrajectoryGram(
            calls: outputs.count, branches: .conditional, guidanceScale: 1, bandSizes: [outputs[0].count], runs: 1,
            sums: [products])
        return DirectionGeometry(of: gram, .guided, calls: calls).calls
    }

    // MARK: - Outputs

    @Test func `a straight path does not turn`() {
        let measures = geometry([[3, 4], [3, 4], [3, 4]], calls([1, 0.7, 0.2, 0]))
        #expect(measures.map(\.turningAngle) == [nil, 0, 0])
        #expect(measures.map(\.curvature) == [nil, 0, 0])
        #expect(measures.map(\.norm) == [5, 5, 5])
        for (length, expected) in zip(measures.map(\.arcLength), [1.5, 2.5, 1]) {
            #expect(abs((length ?? .nan) - expected) < 1e-12)
        }
        #expect(measures[2].noise == 0 && measures[2].noiseGain == nil && measures[2].noiseCorrelation == nil)
    }

    @Test func `a path on a circle has the curvature 1/R, however unevenly it is stepped`() {
        // e = dz/ds of z = R (cos φ, sin φ) with φ = 2 s: |e| = 2 R.
        let (radius, positions) = (5.0, [1, 0.9, 0.6, 0.5, 0.1, 0.0])
        let outputs = positions.dropLast().map { [-2 * radius * sin(2 * $0), 2 * radius * cos(2 * $0)] }
        let measures = geometry(outputs, calls(positions))
        for n in 1..<5 {
            #expect(abs((measures[n].turningAngle ?? .nan) - 2 * (positions[n - 1] - positions[n])) < 1e-12)
            #expect(abs((measures[n].curvature ?? .nan) - 1 / radius) < 1e-12)
        }
    }

    @Test(arguments: [1e-7, 1e-3, 1.5, 3.1])
    func `angles are exact from tiny to nearly opposite`(angle: Double) {
        let measures = geometry([[2, 0], [3 * cos(angle), 3 * sin(angle)]], calls([1, 0.5, 0]))
        // Products of 64-bit numbers know 1 − cos² of the smallest angle to two digits.
        #expect(abs((measures[1].turningAngle ?? .nan) / angle - 1) < max(1e-12, 1e-16 / (angle * angle)))
    }

    @Test(arguments: [0.5, -0.25, 1])
    func `cache noise that shrinks by a factor has that gain and is fully correlated`(factor: Double) {
        // e_n = a + b r^n, so q_n = b r^(n−1) (1 − r); for r = 1, e_n = a + b n.
        let outputs = (0..<5).map { n in
            let power = factor == 1 ? Double(n) : pow(factor, Double(n))
            return [4 + 3 * power, 1 - 4 * power]
        }
        let measures = geometry(outputs, calls([1, 0.8, 0.6, 0.4, 0.2, 0]))
        #expect(measures[1].noiseGain == nil && measures[1].noise != nil)
        for n in 2..<5 {
            #expect(abs((measures[n].noiseGain ?? .nan) - factor) < 1e-10)
            #expect(abs((measures[n].noiseCorrelation ?? .nan) - (factor < 0 ? -1 : 1)) < 1e-10)
        }
        let q = 5 * abs(factor == 1 ? 1 : factor - 1)
        let norm = (pow(outputs[1][0], 2) + pow(outputs[1][1], 2)).squareRoot()
        #expect(abs((measures[1].noise ?? .nan) - q / norm) < 1e-12)
        #expect(abs((measures[1].noiseEnergy[0] ?? .nan) - q * q / (norm * norm)) < 1e-12)
    }

    @Test func `outputs that vanish have no angle, no noise and no number that is not one`() {
        let measures = geometry([[0, 0], [0, 0], [1, 0], [0, 0]], calls([1, 0.7, 0.5, 0.2, 0]))
        #expect(measures.map(\.turningAngle) == [nil, nil, nil, nil])
        #expect(measures.map(\.noise) == [nil, nil, 1, nil])
        #expect(measures.flatMap { $0.named.map(\.value) }.allSatisfy { $0?.isFinite ?? true })
    }

    @Test func `calls at one path position have an angle, but no curvature`() {
        let measures = geometry([[1, 0], [0, 1], [1, 0]], calls([1, 0.5, 0.5, 0]))
        #expect(measures[2].turningAngle == .pi / 2 && measures[2].curvature == nil)
    }

    @Test func `the curvature of a fine run is that of the exact path of Gaussian data`() throws {
        // z_i = c_i √(v_i + s²), so e_i = c_i s/√(v_i + s²) and de_i/ds = c_i v_i/(v_i + s²)^1.5.
        let setup = GaussianRun(steps: 1000, variances: [0.01, 0.2, 1, 9])
        var run = try setup.start()
        let trajectory = Trajectory(of: run, predictionType: .epsilon)
        while let step = try run.next() { trajectory.record(step, of: run) }
        let measures = DirectionGeometry(of: TrajectoryGram(of: trajectory), .guided, calls: trajectory.calls).calls
        let (start, first) = (trajectory.states[0].elements, trajectory.calls[0].level.pathPosition)
        let denoiser = setup.denoiser()
        var compared = 0
        for n in 1..<trajectory.calls.count {
            let s = (trajectory.calls[n].level.pathPosition + trajectory.calls[n - 1].level.pathPosition) / 2
            guard (0.1...10).contains(s) else { continue }
            var (ee, dd, ed) = (0.0, 0.0, 0.0)
            for (i, z) in start.enumerated() {
                let v = denoiser.variance(of: i, .conditional)
                let c = Double(z) / (v + first * first).squareRoot()
                let (e, d) = (c * s / (v + s * s).squareRoot(), c * v / pow(v + s * s, 1.5))
                ee += e * e
                dd += d * d
                ed += e * d
            }
            let expected = (ee * dd - ed * ed).squareRoot() / pow(ee, 1.5)
            #expect(abs((measures[n].curvature ?? .nan) / expected - 1) < 0.02, "s = \(s)")
            compared += 1
        }
        #expect(compared > 500)
    }

    // MARK: - Frames

    private func tensors(_ points: [[Double]]) -> [Tensor] {
        points.map { Tensor($0.map(Float.init), shape: [1, 1, $0.count]) }
    }

    @Test func `a straight path is all displacement`() throws {
        let projection = try PathProjection(corners: tensors([[1, 1, 1], [3, 1, 1], [7, 1, 1]]))
        #expect(projection.points == [SIMD3(0, 0, 0), SIMD3(2, 0, 0), SIMD3(6, 0, 0)])
        #expect(projection.deviations == [0, 0, 0] && projection.pieces == [2, 4] && projection.displacement == 6)
        #expect(projection.explained == ExplainedVariance(displacement: 1, first: 0, second: 0, plane: 1))
    }

    @Test func `a path in three dimensions of many is found, with its widest bend on w1 and to the positive side`()
        throws
    {
        // Coordinates along (1, 0, 0, 0, 0), (0, 0.6, 0, 0.8, 0) and (0, 0, 0, 0, 1).
        let path: [SIMD3<Double>] = [[0, 0, 0], [1, -3, 1], [2, -4, 0], [3, -3, -1], [4, 0, 0]]
        let corners = tensors(path.map { [$0.x, 0.6 * $0.y, 0, 0.8 * $0.y, $0.z] })
        let projection = try PathProjection(corners: corners)
        for (point, expected) in zip(projection.points, path) {
            #expect(abs(point.x - expected.x) < 1e-6 && abs(point.y + expected.y) < 1e-6)
            #expect(abs(abs(point.z) - abs(expected.z)) < 1e-6)
        }
        for (deviation, expected) in zip(projection.deviations, [0, 10.0.squareRoot(), 4, 10.0.squareRoot(), 0]) {
            #expect(abs(deviation - expected) < 1e-6)
        }
        // About the mean (2, −2, 0) the squares are 10 along u, 14 along w1 and 2 along w2.
        let explained = projection.explained
        #expect(abs(explained.displacement - 10 / 26) < 1e-6 && abs(explained.first - 14 / 26) < 1e-6)
        #expect(abs(explained.second - 2 / 26) < 1e-6 && abs(explained.plane - 1) < 1e-6)
        #expect(abs(explained.total - 1) < 1e-6)
    }

    @Test func `paths of one point, of two, and back to the start have a projection`() throws {
        #expect(try PathProjection(corners: tensors([[1, 2]])).pieces.isEmpty)
        #expect(try PathProjection(corners: tensors([[1, 2], [4, 6]])).points == [SIMD3(0, 0, 0), SIMD3(5, 0, 0)])
        let loop = try PathProjection(corners: tensors([[0, 0], [3, 4], [0, 0]]))
        #expect(loop.displacement == 0 && abs(loop.deviations[1] - 5) < 1e-12 && abs(loop.points[1].y - 5) < 1e-12)
        #expect(loop.explained.displacement == 0 && abs(loop.explained.first - 1) < 1e-12)
    }

    @Test func `a path with a state that is not finite is refused`() {
        #expect(throws: LinearAlgebraError.self) {
            try PathProjection(corners: tensors([[0, 0], [.nan, 1], [1, 1]]))
        }
    }

    // MARK: - Alignment

    @Test func `turned and mirrored copies of a path lie upon it after alignment`() throws {
        let path: [SIMD3<Double>] = (0..<9).map { n in
            let t = Double(n) / 8
            return SIMD3(t, sin(.pi * t), 0.3 * sin(2 * .pi * t))
        }
        let (c, s) = (cos(0.7), sin(0.7))
        let turned = path.map { SIMD3($0.x, c * $0.y - s * $0.z, s * $0.y + c * $0.z) }
        let mirrored = turned.map { SIMD3($0.x, $0.y, -$0.z) }
        let alignment = try PathAlignment([turned, path, mirrored])
        for other in alignment.paths + [alignment.mean] {
            for (a, b) in zip(other, turned) { #expect((a - b).length < 1e-12) }
        }
        #expect(try PathAlignment([turned]).paths == [turned])
    }
}
