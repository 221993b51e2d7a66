import Glibc
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
    /// The plans that a search has found best in closed loop, one for a number of evaluations.
    public let choices: [PlanChoice]

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
        stateGain: [Double], path: PathSeries, choices: [PlanChoice] = []
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
        self.choices = choices
    }

    /// The same with every gain raised to a power: 0 takes each error for as lasting as any other, and powers above 1
    /// count on more of the early ones being led back.
    public func raisingGain(to power: Double) -> Calibration {
        Calibration(
            gram: gram, quantity: quantity, predictionType: predictionType, response: response,
            stateGain: stateGain.map { pow($0, power) }, path: path, choices: choices)
    }

    /// The same with these choices, in place of those for the same numbers of evaluations.
    public func choosing(_ new: [PlanChoice]) -> Calibration {
        let kept = choices.filter { old in !new.contains { $0.evaluations == old.evaluations } }
        return Calibration(
            gram: gram, quantity: quantity, predictionType: predictionType, response: response, stateGain: stateGain,
            path: path, choices: (kept + new).sorted { $0.evaluations > $1.evaluations })
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
