import Sampling

/// The `spectral` forecaster: for each reused output of a plan, and each frequency band, the weights of the last
/// evaluated outputs that fit the calibration's uncached runs best.
public enum SpectralFit {
    /// Fits a table for `plan`; costs no model evaluation.
    ///
    /// - Throws: ``PlanError/doesNotFit(_:)`` when the calibration is for another kind of run.
    public static func forecaster(for plan: ReusePlan, calibration: Calibration) throws(PlanError) -> ForecasterSpec {
        guard plan.calls == calibration.gram.calls, plan.branches == calibration.gram.branches else {
            throw .doesNotFit("the calibration is for another number of model calls or for other guidance branches")
        }
        let model = ForecastModel(calibration)
        let terms = GuidedTerms(
            branches: model.branches, guidanceScale: model.guidanceScale, bandCount: model.bandCount)
        let entries = plan.evaluated.indices.flatMap { call -> [FittedForecaster.Entry] in
            guard plan.evaluated[call] != plan.branches else { return [] }
            let fit = model.fit(at: call, in: plan)
            return terms.entries(
                at: call, sources: fit.sources, weights: fit.weights, evaluated: plan.evaluated[call])
        }
        return .fitted(
            name: .spectral, quantity: calibration.quantity, depth: ForecastModel.conditionalDepth,
            bandCount: model.bandCount, entries: entries)
    }
}
