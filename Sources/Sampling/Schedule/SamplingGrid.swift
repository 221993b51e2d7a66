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

    /// Where each step leads by the sampler's own formula; nil where that is the next point, or the end.
    let targets: [NoiseLevel]?

    /// Whether ancestral sampling adds noise in the last step, too.
    let addsNoiseLast: Bool

    /// Where within the last step a method of two stages can ask a second time, a third of the way before the end; `nil`
    /// if the model is not to be asked there.
    let lastStage: Point?

    init(
        points: [Point], end: NoiseLevel, targets: [NoiseLevel]? = nil, addsNoiseLast: Bool = false,
        lastStage: Point? = nil
    ) {
        precondition(!points.isEmpty, "a run has at least one step")
        self.points = points
        self.end = end
        self.targets = targets
        self.addsNoiseLast = addsNoiseLast
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
                    dropsLast: options.kind == .dpmSolver, singleIsLast: options.stepRule == .diffusers))
            let end: NoiseLevel =
                options.end == .clean ? .variancePreserving(alphaBar: 1) : schedule.level(at: 0)
            let points = timesteps.map { Point(timestep: Double($0), level: schedule.level(at: $0)) }
            guard options.stepRule == .diffusers else {
                self.init(points: points, end: end)
                return
            }
            guard options.kind == .ddim else {
                self.init(points: points, end: end, addsNoiseLast: timesteps[steps - 1] > 0)
                return
            }
            let stride = process.trainTimesteps / steps
            let targets = timesteps.map { $0 < stride ? end : schedule.level(at: $0 - stride) }
            self.init(points: points, end: targets[steps - 1], targets: targets)
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

    /// Whether a sampler that adds no noise of its own does the same on both.
    func isSame(as other: SamplingGrid) -> Bool {
        func targets(_ grid: SamplingGrid) -> [NoiseLevel] {
            grid.targets ?? grid.points.indices.map(grid.level(after:))
        }
        return points == other.points && targets(self) == targets(other)
    }
}
