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
    private let report: (String) -> Void
    private var file: CalibrationFile?

    /// A source.
    ///
    /// - Parameters:
    ///   - store: Where calibrations are kept.
    ///   - tell: Called with one line where something else is used than what one would expect.
    ///   - make: Makes what is missing, from what there is; nil to have it refused.
    public init(
        store: CalibrationStore, tell: @escaping (String) -> Void = { _ in },
        make: ((Task, CalibrationFile?) throws -> CalibrationFile)? = nil
    ) {
        self.store = store
        report = tell
        self.make = make
    }

    public func forecaster(
        _ name: ForecasterChoice.CalibratedForecaster, for plan: ReusePlan
    ) throws -> Forecaster {
        switch name {
        case .omnicache:
            return .omnicache(gammas: try calibration().path.gamma, filter: .standard)
        case .omnicacheUnfiltered:
            return .omnicache(gammas: try calibration().path.gamma, filter: nil)
        case .spectral:
            // Where not even the spectral fit has passed its check, the forecaster that has is used.
            if let checked = try checked(for: plan), !(checked.rule is FittedRule) {
                return stand(in: checked, for: .spectral)
            }
            return try .spectral(for: plan, calibration: try calibration())
        case .steering:
            if try checked(for: plan) == nil { try complete(.fit(plan)) }
            guard let checked = try checked(for: plan) else { preconditionFailure("made for this plan") }
            return stand(in: checked, for: .steering)
        }
    }

    public func bestForecaster(for plan: ReusePlan) throws -> Forecaster {
        try checked(for: plan) ?? forecaster(.spectral, for: plan)
    }

    /// The forecaster that has passed its check for `plan`; reports if it is not the one that was wanted.
    private func stand(in checked: Forecaster, for wanted: FittedRule.Name) -> Forecaster {
        if checked.name != wanted.rawValue {
            tell(
                "\(checked.name) fills the gaps: on images that the calibration's fits have not seen, "
                    + "\(wanted.rawValue) was no better")
        }
        return checked
    }

    /// The forecaster that was found best for `plan`; nil where nothing has been fitted.
    private func checked(for plan: ReusePlan) throws -> Forecaster? {
        _ = try calibration()
        return file?.fits.first { $0.plan == plan }?.forecaster
    }

    public func tell(_ text: String) { report(text) }

    public func knownCalibration() throws -> Calibration? {
        if file == nil { file = try store.load()?.file }
        return file?.calibration
    }

    public func calibration() throws -> Calibration {
        if try knownCalibration() == nil { try complete(.measure) }
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
