import Caching
import Glibc
import Sampling

/// Tries plans and their forecasters in closed loop on images that no fit has seen.
struct PlanTrials {
    /// Images that forecasters are fitted to, and others that these are tried on, by their places in a measurement.
    struct Fold: Equatable {
        let fitted: [Int]
        let tried: [Int]
    }

    /// What fills the gaps of a plan.
    enum Filling: Equatable {
        /// A forecaster that needs no fit.
        case complete(Forecaster)
        /// `spectral` in this quantity.
        case spectral(ForecastQuantity)
        /// `steering` in this quantity.
        case steering(ForecastQuantity, ridge: Double = SteeringFit.ridge)
    }

    /// A plan, and what is to fill its gaps.
    struct Candidate: Equatable {
        let plan: ReusePlan
        let filling: Filling

        /// The same plan with `steering` in place of `spectral`; nil where nothing is fitted yet.
        var steered: Candidate? {
            guard case .spectral(let quantity) = filling else { return nil }
            return Candidate(plan: plan, filling: .steering(quantity))
        }

        /// The same with `steering` by these ridges; none where it is not `steering`.
        func withRidges(_ ridges: [Double]) -> [Candidate] {
            guard case .steering(let quantity, _) = filling else { return [] }
            return ridges.map { Candidate(plan: plan, filling: .steering(quantity, ridge: $0)) }
        }
    }

    /// What a candidate has done.
    struct Trial {
        let candidate: Candidate
        /// The forecaster; of several folds, the one that was fitted for the last.
        let forecaster: Forecaster
        /// The relative error of the final state of each image, by fold; infinite for a run that diverged.
        let foldErrors: [[Double]]

        /// All errors.
        var errors: [Double] { foldErrors.flatMap(\.self) }

        /// The geometric mean of the errors.
        var error: Double { exp(errors.reduce(0) { $0 + log($1) } / Double(errors.count)) }
        /// How good it is, the smaller the better (``PlanChoice/score(of:)``).
        var score: Double { PlanChoice.score(of: errors) }
        /// The score of each fold's images.
        var foldScores: [Double] { foldErrors.map(PlanChoice.score) }
    }

    private let calibrator: Calibrator
    private let measurement: Calibrator.Measurement
    private let folds: [Fold]

    /// Prepares trials; there is a fold, and each has images of both kinds.
    init(calibrator: Calibrator, measurement: Calibrator.Measurement, folds: [Fold]) {
        precondition(!folds.isEmpty && folds.allSatisfy { !$0.fitted.isEmpty && !$0.tried.isEmpty }, "images to try on")
        self.calibrator = calibrator
        self.measurement = measurement
        self.folds = folds
    }

    /// The evaluations that a trial spends on a plan of so many.
    static func evaluations(_ evaluations: Int, filledBy filling: Filling, folds: [Fold]) -> Int {
        let tried = folds.reduce(0) { $0 + $1.tried.count }
        guard case .steering = filling else { return evaluations * tried }
        return evaluations * (tried + folds.reduce(0) { $0 + $1.fitted.count })
    }

    /// Fits a forecaster in each fold, and tries it on the fold's other images.
    ///
    /// - Throws: ``PlanError/doesNotFit(_:)``, what the sampler throws, and what `progress` does.
    func trial(of candidate: Candidate, progress: Calibrator.Progress) throws -> Trial {
        var errors: [[Double]] = []
        var fitted: Forecaster?
        for fold in folds {
            let forecaster = try forecaster(for: candidate, from: fold.fitted, progress: progress)
            fitted = forecaster
            errors.append(
                try fold.tried.map { image in
                    let latents = try calibrator.end(
                        of: measurement.items[image], under: candidate.plan, forecaster, progress: progress)
                    let error = measurement.references[image].relativeError(ofFinal: latents)
                    return error.isFinite ? error : .infinity
                })
        }
        guard let fitted else { preconditionFailure("there is a fold") }
        return Trial(candidate: candidate, forecaster: fitted, foldErrors: errors)
    }

    /// The candidate's forecaster from these images.
    func forecaster(
        for candidate: Candidate, from images: [Int], progress: Calibrator.Progress
    ) throws -> Forecaster {
        func calibration(_ quantity: ForecastQuantity) -> Calibration {
            calibrator.calibration(from: measurement, images: images, as: quantity)
        }
        switch candidate.filling {
        case .complete(let forecaster): return forecaster
        case .spectral(let quantity):
            return try .spectral(for: candidate.plan, calibration: calibration(quantity))
        case .steering(let quantity, let ridge):
            return try calibrator.steer(
                candidate.plan, by: measurement, images: images, calibration: calibration(quantity), ridge: ridge,
                progress: progress)
        }
    }
}

extension Calibrator.Measurement {
    /// Fits to all images but those that were left out, which check them.
    var fold: PlanTrials.Fold {
        PlanTrials.Fold(fitted: Array(0..<fitted), tried: Array(fitted..<items.count))
    }
}
