import Caching
import Sampling

/// Planners and forecasters filled in from a calibration, made on demand where there is none yet.
public final class StoredCalibration: CalibrationSource {
    /// What a calibration is needed for.
    public enum Task: Equatable, Sendable {
        /// There is none for the model and its settings: one full run makes one.
        case measure
        /// There is one without a fit for the plan.
        case fit(ReusePlan)
    }

    private let store: CalibrationStore
    private let make: ((Task, CalibrationFile?) throws -> CalibrationFile)?
    private let tell: (String) -> Void
    private var file: CalibrationFile?

    /// A source.
    ///
    /// - Parameters:
    ///   - store: Where calibrations are kept.
    ///   - tell: Called with one line where a plainer forecaster replaces a fit that did not pass its check.
    ///   - make: Makes what is missing, from what there is; nil to have it refused.
    public init(
        store: CalibrationStore, tell: @escaping (String) -> Void = { _ in },
        make: ((Task, CalibrationFile?) throws -> CalibrationFile)? = nil
    ) {
        self.store = store
        self.tell = tell
        self.make = make
    }

    public func planner(_ name: PlannerName) throws -> any Planner {
        switch name {
        case .uniform: UniformPlanner()
        case .path: PathPlanner(calibration: try calibration())
        case .pathDeviation: PathPlanner(calibration: try calibration(), objective: .path)
        case .balanced: BalancedPlanner(calibration: try calibration())
        case .curvature: CurvaturePlanner(curvature: try calibration().path.curvature)
        case .late: LatePlanner(change: try calibration().path.change)
        }
    }

    public func forecaster(
        _ name: ForecasterChoice.CalibratedForecaster, for plan: ReusePlan
    ) throws -> ForecasterSpec {
        switch name {
        case .omnicache:
            return .omnicache(gammas: try calibration().path.gamma, filter: .standard, quantity: .direction)
        case .omnicacheUnfiltered:
            return .omnicache(gammas: try calibration().path.gamma, filter: nil, quantity: .direction)
        case .spectral:
            // Where not even the spectral fit has passed, the forecaster that has passed replaces it.
            if let checked = try checked(for: plan), !checked.isFitted { return stand(in: checked, for: .spectral) }
            return try SpectralFit.forecaster(for: plan, calibration: try calibration())
        case .steering:
            if try checked(for: plan) == nil { try complete(.fit(plan)) }
            guard let checked = try checked(for: plan) else { preconditionFailure("made for this plan") }
            return stand(in: checked, for: .steering)
        }
    }

    public func bestForecaster(for plan: ReusePlan) throws -> ForecasterSpec {
        guard let checked = try checked(for: plan) else { return try forecaster(.spectral, for: plan) }
        return stand(in: checked, for: .steering)
    }

    /// The forecaster that has passed its check for `plan`; reports if it is not the one that was wanted.
    private func stand(in checked: ForecasterSpec, for wanted: ForecasterSpec.FittedName) -> ForecasterSpec {
        if checked.name != wanted.rawValue {
            tell(
                "\(checked.name) fills the gaps: on an image that the calibration's fits have not seen, "
                    + "\(wanted.rawValue) was no better")
        }
        return checked
    }

    /// The forecaster that was found best for `plan`; nil where nothing has been fitted.
    private func checked(for plan: ReusePlan) throws -> ForecasterSpec? {
        _ = try calibration()
        return file?.fits.first { $0.plan == plan }?.forecaster
    }

    private func calibration() throws -> Calibration {
        if file == nil { file = try store.load()?.file }
        if file == nil { try complete(.measure) }
        guard let file else { preconditionFailure("just made") }
        return file.calibration
    }

    private func complete(_ task: Task) throws {
        guard let make else {
            throw PlanError.needsCalibration(
                "there is no calibration for this model, sampler, step count and guidance yet; make one with "
                    + "'omnicache calibrate' and the same options")
        }
        file = try make(task, file)
    }
}

extension ForecasterSpec {
    /// Whether it has weights that were fitted.
    fileprivate var isFitted: Bool {
        if case .fitted = self { true } else { false }
    }
}
