import Sampling

/// What is kept of any number of recorded runs: sums, moments, and their projected paths.
public struct TrajectorySummary: Sendable {
    /// The model calls that all runs make.
    public let calls: [ModelCall]
    /// The inner products, added up; nil before the first run.
    public private(set) var gram: TrajectoryGram?
    /// Each run's path in its own frame.
    public private(set) var projections: [PathProjection] = []

    private let bandCount: Int
    private var directions: [GuidanceOutput: [DirectionMeasures<Moments>]] = [:]

    /// The summary of no run.
    ///
    /// - Parameters:
    ///   - calls: The calls that every run will make.
    ///   - bandCount: The number of frequency bands of the Gram and the noise energy.
    public init(calls: [ModelCall], bandCount: Int = 8) {
        self.calls = calls
        self.bandCount = bandCount
    }

    /// Takes in a run that was recorded to its end.
    ///
    /// - Throws: ``LinearAlgebraError`` when the run has diverged.
    public mutating func add(_ trajectory: Trajectory) throws(LinearAlgebraError) {
        precondition(trajectory.calls == calls, "a run of other calls")
        projections.append(try PathProjection(of: trajectory))
        let run = TrajectoryGram(of: trajectory, bandCount: bandCount)
        for output in trajectory.outputs {
            let geometry = DirectionGeometry(of: run, output, calls: calls)
            var moments =
                directions[output] ?? Array(repeating: DirectionMeasures(bandCount: bandCount), count: calls.count)
            for call in calls.indices { moments[call].add(geometry.calls[call]) }
            directions[output] = moments
        }
        if gram == nil { gram = run } else { gram?.add(run) }
    }

    /// The measures of one kind of output at each call, over the runs; nil if the runs do not have it.
    ///
    /// An unguided run has the guided output only, which is the conditional one.
    public func directions(of output: GuidanceOutput) -> [DirectionMeasures<Spread?>]? {
        directions[output]?.map { $0.map(\.spread) }
    }

    /// The paths, aligned to each other.
    ///
    /// - Throws: ``LinearAlgebraError``; the summary is not empty.
    public func alignment() throws(LinearAlgebraError) -> PathAlignment {
        try PathAlignment(projections.map(\.points))
    }

    /// The measures of the states at which calls begin, over the runs.
    ///
    /// - Parameters:
    ///   - alignment: The aligned paths: torsion has a sign only where all paths are seen from one side.
    ///   - window: The number of points of a curve fit.
    /// - Returns: One entry per call; nil for a trial state inside a step.
    /// - Throws: ``LinearAlgebraError``.
    public func states(
        _ alignment: PathAlignment, window: Int = 7
    ) throws(LinearAlgebraError) -> [StateMeasures<Spread?>?] {
        let corners = calls.filter { $0.index == 0 || $0.step != calls[$0.index - 1].step }
        var moments = Array(repeating: StateMeasures<Moments>(), count: corners.count)
        for (projection, path) in zip(projections, alignment.paths) {
            let fits = try CurveFit.fits(of: path, window: window)
            for corner in corners.indices {
                moments[corner].deviation.add(projection.deviations[corner])
                moments[corner].piece.add(projection.pieces[corner])
                moments[corner].curvature.add(fits[corner]?.curvature)
                moments[corner].torsion.add(fits[corner]?.torsion)
            }
        }
        var states: [StateMeasures<Spread?>?] = Array(repeating: nil, count: calls.count)
        for (corner, call) in corners.enumerated() { states[call.index] = moments[corner].map(\.spread) }
        return states
    }
}
