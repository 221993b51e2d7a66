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
    /// Where those are kept that were made in the standard arithmetic, if that is another.
    private let standard: CalibrationStore?
    private let make: ((Task, CalibrationFile?) throws -> CalibrationFile)?
    private let report: (String) -> Void
    private var file: CalibrationFile?
    /// Whether ``file`` was made in the standard arithmetic and not in the run's.
    private var isBorrowed = false

    /// A source.
    ///
    /// - Parameters:
    ///   - store: Where calibrations are kept.
    ///   - standard: Where those made in the standard arithmetic are kept, which serve others nearly as well; nil where that
    ///     is the run's own.
    ///   - tell: Called with one line where something else is used than what one would expect.
    ///   - make: Makes what is missing, from what there is; nil to have ``MissingCalibration`` thrown.
    public init(
        store: CalibrationStore, standard: CalibrationStore? = nil, tell: @escaping (String) -> Void = { _ in },
        make: ((Task, CalibrationFile?) throws -> CalibrationFile)? = nil
    ) {
        self.store = store
        self.standard = standard
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
        if file == nil, let borrowed = try standard?.load() {
            (file, isBorrowed) = (borrowed.file, true)
            tell(
                "calibrated in float32 with OpenBLAS; 'omnicache calibrate' with the same options calibrates in this "
                    + "precision")
        }
        return file?.calibration
    }

    public func calibration() throws -> Calibration {
        if try knownCalibration() == nil { try complete(.measure) }
        guard let file else { preconditionFailure("just made") }
        return file.calibration
    }

    private func complete(_ task: Task) throws {
        guard let make else {
            throw MissingCalibration(task: task)
        }
        guard isBorrowed else {
            file = try make(task, file)
            return
        }
        // What a borrowed calibration lacks is measured in the run's own arithmetic, from the beginning.
        (file, isBorrowed) = (try make(.measure, nil), false)
        if case .fit(let plan) = task, try checked(for: plan) == nil { file = try make(task, file) }
    }
}
