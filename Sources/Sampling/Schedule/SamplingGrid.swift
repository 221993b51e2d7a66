/// The noise levels that a run passes through: one point per step, and the level at which it ends.
struct SamplingGrid: Equatable, Sendable {
    /// One place where the model is evaluated.
    struct Point: Equatable, Sendable {
        /// What the model is told.
        let timestep: Double
        let level: NoiseLevel

        init(timestep: Double, level: NoiseLevel) {
            self.timestep = timestep
            self.level = level
        }

        /// The point of a flow at noise time `time`, after shifting.
        init(_ flow: Flow, time: Double, trainTimesteps: Int) {
            timestep = flow.timestep(at: time, trainTimesteps: trainTimesteps)
            level = .flow(flow, time: time)
        }
    }

    /// From noise to image, one per step.
    var points: [Point]

    /// Where the last step leads.
    let end: NoiseLevel

    /// Where within the last step a method of two stages can ask a second time, a third of the way before the end; `nil`
    /// if the model is not to be asked there.
    let lastStage: Point?

    init(points: [Point], end: NoiseLevel, lastStage: Point? = nil) {
        precondition(!points.isEmpty, "a run has at least one step")
        self.points = points
        self.end = end
        self.lastStage = lastStage
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
        case .flow(let flow):
            let times =
                options.kind == .sde
                ? try SDESampler.times(options, steps: steps, trainTimesteps: process.trainTimesteps)
                : try options.spacing.flowTimes(
                    steps: steps, trainTimesteps: process.trainTimesteps, shift: flow.shift)
            let points = times.map { time in
                Point(
                    flow, time: TimestepSpacing.shifted(time, by: flow.shift), trainTimesteps: process.trainTimesteps)
            }
            let lastTime = points[points.count - 1].level.pathPosition
            self.init(
                points: points, end: .flow(flow, time: 0),
                lastStage: flow.direction == .toData
                    ? Point(flow, time: lastTime / 3, trainTimesteps: process.trainTimesteps) : nil)
        }
    }

    /// The number of steps.
    var steps: Int { points.count }

    /// The level that step `step` leads to.
    func level(after step: Int) -> NoiseLevel {
        step + 1 < points.count ? points[step + 1].level : end
    }
}
