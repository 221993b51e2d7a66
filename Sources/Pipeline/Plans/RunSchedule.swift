import Caching
import Sampling

/// The model calls that a run will make, and the branches that each asks for.
public struct RunSchedule: Equatable, Sendable {
    /// Every call, in order.
    public let calls: [ModelCall]
    /// The guidance branches of every call.
    public let branches: GuidanceBranches

    /// Joins the two.
    package init(calls: [ModelCall], branches: GuidanceBranches) {
        self.calls = calls
        self.branches = branches
    }

    /// The evaluations of the full run.
    public var evaluations: Int { calls.count * branches.count }
}

extension SampleSettings {
    /// What a run with these settings will ask of a model.
    ///
    /// - Throws: ``SamplingError`` or ``PipelineError`` when the settings do not fit the model.
    public func schedule(for directory: ModelDirectory) throws -> RunSchedule {
        // Only its calls are looked at, so its scratch may be of one element.
        let sampler = try makeSampler(sampler, process: directory.process, steps: steps, shape: [])
        guard directory.config.hasVariance || !sampler.needsVariance else { throw SamplingError.noLearnedVariance }
        let guidance = try guidance
        try guidance.validate(for: directory.latentShape.dimensions)
        let branches = guidance.branches
        guard !branches.contains(.unconditional) || directory.hasNullClass else {
            throw PipelineError.usage("the model has no null class, so it cannot be guided; give --cfg-scale 1")
        }
        return RunSchedule(calls: sampler.calls, branches: branches)
    }

    /// The evaluations of the full run: model calls times guidance branches.
    ///
    /// - Throws: ``SamplingError`` or ``PipelineError`` when the settings do not fit the model.
    public func evaluations(for directory: ModelDirectory) throws -> Int {
        try schedule(for: directory).evaluations
    }
}
