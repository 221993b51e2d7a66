/// The noise levels that a run passes through: one point per step, and the level at which it ends.
struct SamplingGrid: Equatable, Sendable {
    /// One place where the model is evaluated.
    struct Point: Equatable, Sendable {
        /// What the model is told.
        let timestep: Double
        let level: NoiseLevel
    }

    /// From noise to image, one per step.
    var points: [Point]

    /// Where the last step leads.
    let end: NoiseLevel

    init(points: [Point], end: NoiseLevel) {
        precondition(!points.isEmpty, "a run has at least one step")
        self.points = points
        self.end = end
    }

    /// The grid of `steps` steps of a sampler with these options.
    ///
    /// - Throws: A ``SamplingError`` that says what does not fit.
    init(_ options: SamplerOptions, process: DiffusionProcess, steps: Int) throws(SamplingError) {
        switch process.noising {
        case .variancePreserving(let betas):
            let schedule = NoiseSchedule(betas: betas.betas(count: process.trainTimesteps))
            let timesteps = try options.spacing.timesteps(
                .init(
                    steps: steps, trainTimesteps: process.trainTimesteps, offset: options.stepsOffset,
                    dropsLast: options.kind == .dpmSolver))
            self.init(
                points: timesteps.map { Point(timestep: Double($0), level: schedule.level(at: $0)) },
                end: options.end == .clean ? .variancePreserving(alphaBar: 1) : schedule.level(at: 0))
        case .flow(let shift):
            let sigmas = try options.spacing.flowSigmas(
                steps: steps, trainTimesteps: process.trainTimesteps, shift: shift)
            self.init(
                points: sigmas.map { sigma in
                    let sigma = TimestepSpacing.shifted(sigma, by: shift)
                    return Point(timestep: sigma * Double(process.trainTimesteps), level: .flow(sigma: sigma))
                },
                end: .flow(sigma: 0))
        }
    }

    /// The number of steps.
    var steps: Int { points.count }

    /// The level that step `step` leads to.
    func level(after step: Int) -> NoiseLevel {
        step + 1 < points.count ? points[step + 1].level : end
    }
}
