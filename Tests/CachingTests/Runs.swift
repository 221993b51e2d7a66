import Caching
import Compute
import Sampling
import TestSupport

/// What the tests of this target run on.
enum Runs {
    /// The calls of a guided or unguided run of the official DiT's process.
    static func calls(_ steps: Int, _ kind: SamplerKind = .ddim) throws -> [ModelCall] {
        let process = try DiffusionProcess(.epsilon, betas: .linear(start: 0.0001, end: 0.02))
        return try makeSampler(SamplerOptions(kind), process: process, steps: steps, shape: []).calls
    }

    static let guided: GuidanceBranches = [.conditional, .unconditional]

    /// A request for a guided run of `steps` steps.
    static func request(
        _ steps: Int, budget: Double = 1, branches: GuidanceBranches = guided, limits: ReuseLimits = ReuseLimits()
    ) throws -> PlanRequest {
        let calls = try calls(steps)
        return PlanRequest(
            calls: calls, branches: branches,
            evaluations: try Budget(budget).evaluations(of: calls.count * branches.count), limits: limits)
    }

    /// A reproducible series with a number for each call.
    static func series(_ count: Int, seed: UInt64) -> [Double] {
        noise(count, seed: seed).map { abs(Double($0)) }
    }
}
