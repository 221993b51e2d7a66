/// The noise levels that a run passes through: one point per step, and the level at which it ends.
struct SamplingGrid: Equatable, Sendable {
    /// One place where the model is evaluated.
    struct Point: Equatable, Sendable {
        /// The model's timestep input.
        let timestep: Double
        let level: NoiseLevel
    }

    /// From noise to image, one per step.
    var points: [Point]

    /// Where the last step leads.
    let end: NoiseLevel

    /// Where each step leads by the sampler's own formula; nil where that is the next point, or the end.
    var targets: [NoiseLevel]?

    /// Whether ancestral sampling adds noise in the last step, too.
    var addsNoiseLast = false

    /// Where within the last step a method of two stages evaluates the model a second time, a third of the way before the
    /// end; `nil` for no second evaluation there.
    var lastStage: Point?

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

    /// The calls of a sampler that evaluates the model once in every step.
    var oneCallPerStep: [ModelCall] {
        points.enumerated().map { step, point in
            ModelCall(
                index: step, step: step, timestep: point.timestep, level: point.level, levelAfter: level(after: step),
                target: targets?[step])
        }
    }
}

extension SamplingGrid {
    /// The grid of `steps` steps of a sampler with these options.
    ///
    /// - Throws: A ``SamplingError`` that says what does not fit.
    init(_ options: SamplerOptions, process: DiffusionProcess, steps: Int) throws(SamplingError) {
        let trainTimesteps = process.trainTimesteps
        switch process.noising {
        case .variancePreserving(let betas):
            let schedule = NoiseSchedule(betas: betas.betas(count: trainTimesteps))
            let timesteps = try options.spacing.timesteps(
                steps: steps, trainTimesteps: trainTimesteps, offset: options.stepsOffset,
                dropsLast: options.kind == .dpmSolver, singleIsLast: options.stepRule == .diffusers)
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
            let stride = trainTimesteps / steps
            let targets = timesteps.map { $0 < stride ? end : schedule.level(at: $0 - stride) }
            self.init(points: points, end: targets[steps - 1], targets: targets)
        case .flow(let flow):
            let times =
                options.kind == .sde
                ? try Self.sdeTimes(options, steps: steps, trainTimesteps: trainTimesteps)
                : try options.spacing.flowTimes(steps: steps, trainTimesteps: trainTimesteps, shift: flow.shift)
            func point(_ time: Double) -> Point {
                Point(
                    timestep: flow.timestep(at: time, trainTimesteps: trainTimesteps), level: .flow(flow, time: time))
            }
            let points = times.map { point(TimestepSpacing.shifted($0, by: flow.shift)) }
            let lastTime = points[points.count - 1].level.pathPosition
            self.init(
                points: points, end: .flow(flow, time: 0),
                lastStage: flow.direction == .toData ? point(lastTime / 3) : nil)
        }
    }

    /// Noise times of ``SamplerKind/sde`` before shifting, falling evenly from all noise to the start of the last step.
    ///
    /// The official code's `torch.linspace(t0, 1 − last_step_size, num_steps)`, with t0 = 0 but for `sbdm`, whose w is
    /// infinite there: it starts one N-th of the way in, where a step removes about as much noise as there is. (The
    /// official code starts it at 0 for models of the velocity, which gives no numbers.)
    private static func sdeTimes(
        _ options: SamplerOptions, steps: Int, trainTimesteps: Int
    ) throws(SamplingError) -> [Double] {
        guard steps > 1, steps <= trainTimesteps else {
            throw .invalidField(
                name: "steps", found: "\(steps)",
                expected: "2 to \(trainTimesteps) for sampler \(SamplerKind.sde.rawValue)")
        }
        let last = options.lastStepSize
        let first = options.diffusionForm == .scoreBased ? 1 - (1 - last) / Double(steps) : 1
        return (0..<steps).map { step in
            let share = Double(step) / Double(steps - 1)
            return first * (1 - share) + last * share
        }
    }
}
