import Compute
import Sampling

/// The `steering` forecaster: like `spectral`, but fitted in closed loop to lead back to the uncached trajectory.
///
/// A few images are walked through the plan side by side. At each reused call the weights are fitted, over all images
/// and per frequency band, not to the output that the model would have given but to the one from which the sampler's
/// step would end on the uncached run's next state; then the images go on from where these weights lead. So each fit
/// sees the drift that the fits before it have left, and takes as much of it back as the last outputs can.
///
/// Where the sampler clips x0, its step is no longer a sum of state and output, and there is no single output to fit to:
/// the weights are fitted to the state that the step leads to (``ClippedRegression``).
public final class SteeringFit {
    /// The usual ridge of the regression towards the spectral weights, relative to the mean energy of the sources.
    public static let ridge = 1e-5

    private let plan: ReusePlan
    private let calibration: Calibration
    private let model: ForecastModel
    private let terms: GuidedTerms
    private let references: [Trajectory]
    private let transform: CosineTransform
    private let bands: FrequencyBands
    private let targets: [Tensor]
    private let ridge: Double
    private var entries: [FittedRule.Entry] = []

    /// The forecaster that the runs are to be started with; its forecasts are replaced at each call.
    public let start: Forecaster

    /// Prepares a fit.
    ///
    /// - Parameters:
    ///   - plan: What the runs evaluate.
    ///   - calibration: Of runs like these; its weights are where the fit starts from.
    ///   - references: The recorded uncached runs of the images, in the order of the runs.
    ///   - ridge: Pulls towards the spectral weights, relative to the mean energy of the sources.
    /// - Throws: ``PlanError/doesNotFit(_:)`` when the calibration is for another kind of run.
    public init(
        plan: ReusePlan, calibration: Calibration, references: [Trajectory], ridge: Double = SteeringFit.ridge
    ) throws(PlanError) {
        precondition(!references.isEmpty && references.allSatisfy(\.isComplete), "uncached runs to steer towards")
        self.plan = plan
        self.calibration = calibration
        self.references = references
        self.ridge = ridge
        start = try Forecaster.spectral(for: plan, calibration: calibration)
        model = ForecastModel(calibration)
        terms = GuidedTerms(branches: model.branches, guidanceScale: model.guidanceScale)
        let shape = references[0].shape
        transform = CosineTransform(shape: shape)
        bands = FrequencyBands(shape: shape, count: model.bandCount)
        targets = references.map { _ in Tensor(shape) }
    }

    /// Fits the weights of the present call, between `evaluate()` and `advance()` of all runs, and puts the forecasts
    /// that they make into the runs' outputs.
    ///
    /// - Parameters:
    ///   - call: The present call.
    ///   - runs: One run for each reference.
    ///   - denoisers: The runs' caches, in the same order.
    public func fit(at call: ModelCall, runs: [SamplingRun], denoisers: [CachedDenoiser]) {
        precondition(runs.count == references.count && denoisers.count == runs.count, "one run for each reference")
        let evaluated = plan.evaluated[call.index]
        guard evaluated != plan.branches else { return }
        let prior = model.fit(at: call.index, in: plan)
        let sources = denoisers.map { denoiser in
            prior.sources.map { denoiser.source($0.branch, at: $0.call) }
        }
        let weights: [[Double]]
        if let clipping = calibration.response.clipping {
            weights = regress(sources, prior: prior.weights, runs: runs, at: call, clipping: clipping)
        } else {
            for (index, run) in runs.enumerated() { aim(targets[index], of: run, towards: references[index], at: call) }
            weights = regress(sources, prior: prior.weights)
        }
        let fitted = terms.entries(at: call.index, sources: prior.sources, weights: weights, evaluated: evaluated)
        entries += fitted
        for (run, denoiser) in zip(runs, denoisers) {
            denoiser.rewrite(fitted, at: call, latents: run.latents, into: run.outputs)
        }
    }

    /// What has been fitted.
    public var forecaster: Forecaster {
        .fitted(
            name: .steering, quantity: calibration.quantity, depth: ForecastModel.conditionalDepth,
            bandCount: model.bandCount, entries: entries)
    }

    /// The guided output, by frequency, from which the sampler ends on the reference's next state.
    ///
    /// With z' = a z + r x0 and the reference's own z_ref and x0_ref: x0 = x0_ref − (a/r)(z − z_ref).
    private func aim(_ target: Tensor, of run: SamplingRun, towards reference: Trajectory, at call: ModelCall) {
        let n = call.index
        let (reach, rest) = (calibration.response.clean[n], calibration.response.state[n])
        // Where a step of Heun's halves s, its first x0 does not reach the state at all, and cannot bring it back; what
        // little there is in the response is rounding.
        let back = abs(reach) > 1e-6 ? rest / reach : 0
        let scale = call.level.pathScale
        let cleanSum = ForecastQuantity.clean.pathSum(of: calibration.predictionType, at: call.level)
        let (p, q) = (cleanSum.state, cleanSum.direction)
        let g = reference.guidanceScale
        let sum = calibration.quantity.pathSum(of: calibration.predictionType, at: call.level)
        let conditional = reference.directions(of: .conditional)[n].values
        let unconditional =
            reference.branches.contains(.unconditional)
            ? reference.directions(of: .unconditional)[n].values : conditional
        let (x, known, t) = (run.latents.values, reference.states[n].values, target.values)
        for i in 0..<t.count {
            let z = scale * Double(x[i])
            let e = g * Double(conditional[i]) + (1 - g) * Double(unconditional[i])
            let clean = p * Double(known[i]) + q * e - back * (z - Double(known[i]))
            t[i] = Float(sum.state * z + sum.direction * (clean - p * z) / q)
        }
        transform.forward(target)
    }

    /// The weights, by source and band, from which a step that clips x0 leads nearest to the references' next states.
    private func regress(
        _ sources: [[Tensor]], prior: [[Double]], runs: [SamplingRun], at call: ModelCall,
        clipping: SamplerResponse.Clipping
    ) -> [[Double]] {
        let n = call.index
        let step = ClippedStep(
            limit: clipping.limit, within: calibration.response.clean[n], beyond: clipping.beyond[n])
        let clean = ForecastQuantity.clean.pathSum(of: calibration.predictionType, at: call.level)
        let sum = calibration.quantity.pathSum(of: calibration.predictionType, at: call.level)
        // x0 = (p − q a/b) z + (q/b) v, with x0 = p z + q e and the quantity v = a z + b e.
        let perQuantity = clean.direction / sum.direction
        let perState = clean.state - perQuantity * sum.state
        let images = zip(zip(runs, references), sources).map { pair, sources in
            let (run, reference) = pair
            let known = reference.states[n].values
            let z = run.latents.values.map { call.level.pathScale * Double($0) }
            // The noise that a sampler adds, and what it remembers, is the reference's.
            let target = zip(reference.guidedClean(at: n), z.indices).map { clean, i in
                step.reach(clean) - calibration.response.state[n] * (z[i] - Double(known[i]))
            }
            return ClippedRegression.Image(
                features: sources.flatMap { features(of: $0, scale: perQuantity) }, base: z.map { perState * $0 },
                target: target)
        }
        return ClippedRegression(step: step, images: images, bandCount: model.bandCount, relativeRidge: ridge).weights(
            from: prior)
    }

    /// What each band of a source adds to x0, per unit of weight.
    private func features(of source: Tensor, scale: Double) -> [[Float]] {
        (0..<model.bandCount).map { band in
            let part = Tensor(source.shape)
            let (from, to) = (source.values, part.values)
            for i in 0..<to.count where Int(bands.indices[i % bands.indices.count]) == band {
                to[i] = Float(scale) * from[i]
            }
            transform.inverse(part)
            return part.elements
        }
    }

    /// The weights, by source and band, that bring the sources of all images nearest to their targets.
    private func regress(_ sources: [[Tensor]], prior: [[Double]]) -> [[Double]] {
        let (k, bandCount) = (prior.count, model.bandCount)
        var products = [[Double]](repeating: [Double](repeating: 0, count: k * k), count: bandCount)
        var right = [[Double]](repeating: [Double](repeating: 0, count: k), count: bandCount)
        var values = [Double](repeating: 0, count: k)
        for (sources, target) in zip(sources, targets) {
            for position in 0..<target.count {
                let band = Int(bands.indices[position % bands.indices.count])
                var residual = Double(target.values[position])
                for i in 0..<k {
                    values[i] = Double(sources[i].values[position])
                    residual -= prior[i][band] * values[i]
                }
                for i in 0..<k {
                    right[band][i] += values[i] * residual
                    for j in 0...i { products[band][i * k + j] += values[i] * values[j] }
                }
            }
        }
        var weights = prior
        for band in 0..<bandCount {
            NormalEquations.solve(&products[band], &right[band], ridge: ridge)
            for i in 0..<k { weights[i][band] += right[band][i] }
        }
        return weights
    }
}
