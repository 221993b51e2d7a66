import Sampling

/// What full runs have taught about a model, a sampler, a step count and a guidance scale: all that planners and fitted
/// forecasters need, independent of the number of samples.
public struct Calibration: Equatable, Sendable {
    /// Inner products of the branches' outputs, as ``quantity``, added over the samples.
    public let gram: TrajectoryGram
    /// What the outputs were taken as.
    public let quantity: ForecastQuantity
    /// What the model's outputs are.
    public let predictionType: PredictionType
    /// How the sampler passes errors on.
    public let response: SamplerResponse
    /// The final distance per unit of distance after each call (``ClosedLoopGain``).
    public let stateGain: [Double]
    /// The geometry of the path, by model call.
    public let path: PathSeries

    /// What the planners and forecasters that follow the paper need of each call, as means over the samples.
    public struct PathSeries: Codable, Equatable, Sendable {
        /// Curvature per arc length; 0 at the first call.
        public let curvature: [Double]
        /// The angle between the guided direction and the one before, in radians; 0 at the first call.
        public let turningAngle: [Double]
        /// γ, by which the cache noise of the call before predicts that of this one; 0 where there is none.
        public let gamma: [Double]
        /// The change of the guided direction since the call before, |q_n|/|e_n|; 0 at the first call.
        public let change: [Double]

        /// Joins the series.
        public init(curvature: [Double], turningAngle: [Double], gamma: [Double], change: [Double]) {
            self.curvature = curvature
            self.turningAngle = turningAngle
            self.gamma = gamma
            self.change = change
        }
    }

    /// Joins the parts; every series has one number per model call.
    public init(
        gram: TrajectoryGram, quantity: ForecastQuantity, predictionType: PredictionType, response: SamplerResponse,
        stateGain: [Double], path: PathSeries
    ) {
        let series =
            response.series + [stateGain, path.curvature, path.turningAngle, path.gamma, path.change]
        precondition(series.allSatisfy { $0.count == gram.calls }, "one number per model call")
        self.gram = gram
        self.quantity = quantity
        self.predictionType = predictionType
        self.response = response
        self.stateGain = stateGain
        self.path = path
    }

    /// The number of images behind it.
    public var samples: Int { gram.runs }

    /// Checks that it is for runs of so many calls and these branches.
    ///
    /// - Throws: ``PlanError/doesNotFit(_:)``.
    func check(calls: Int, branches: GuidanceBranches) throws(PlanError) {
        guard calls == gram.calls, branches == gram.branches else {
            throw .doesNotFit("the calibration is for another number of model calls or for other guidance branches")
        }
    }
}
