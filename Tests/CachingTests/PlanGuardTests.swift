import Compute
import Sampling
import Testing

@testable import Caching

/// Two plans for hard images and others, chosen by what an image shows.
@Suite struct PlanGuardTests {
    private static let seeds: Range<UInt32> = 1..<9
    private static let light = ReusePlan(steps: "FFRRFRRFRRRF".map { $0 == "F" }, branches: .conditional)
    private static let call = 1

    private let calibrated: GaussianCalibration
    private let forecaster: Forecaster

    init() throws {
        calibrated = try GaussianCalibration(GaussianRun(), seeds: 20..<23)
        forecaster = try .spectral(for: Self.light, calibration: calibrated.calibration)
    }

    private static let heavy = light.joined(
        with: ReusePlan(steps: "FFFFFRFFRFRF".map { $0 == "F" }, branches: .conditional), after: call)

    private func guarding(over threshold: Double) throws -> PlanGuard {
        let own = try Forecaster.spectral(for: Self.heavy, calibration: calibrated.calibration)
        return PlanGuard(
            rule: GuardRule(call: Self.call, threshold: threshold), plan: Self.heavy,
            forecaster: try #require(forecaster.joined(with: own, after: Self.call)))
    }

    /// The end of a run, and its cache.
    private func end(
        _ seed: UInt32, _ plan: ReusePlan, _ forecaster: Forecaster, _ planGuard: PlanGuard? = nil
    ) throws -> ([Float], CachedDenoiser) {
        var setup = calibrated.setup
        setup.seed = seed
        let cache = CachedDenoiser(
            setup.denoiser(), predictionType: setup.type, plan: plan, forecaster: forecaster, planGuard: planGuard)
        var run = try setup.start(cache)
        while try run.next() != nil {}
        return (run.latents.elements, cache)
    }

    @Test func `an image is the one that the plan it has chosen makes alone, to the last bit`() throws {
        let changes = try Self.seeds.map { seed in
            try #require(try end(seed, Self.light, forecaster, guarding(over: .greatestFiniteMagnitude)).1.change)
        }
        let planGuard = try guarding(over: GuardRule.threshold(over: 0.5, of: changes))
        var hard = 0
        for seed in Self.seeds {
            let (found, cache) = try end(seed, Self.light, forecaster, planGuard)
            let alone =
                try cache.isHard
                ? end(seed, Self.heavy, planGuard.forecaster).0 : end(seed, Self.light, forecaster).0
            #expect(found == alone)
            #expect(cache.plan == (cache.isHard ? Self.heavy : Self.light))
            hard += cache.isHard ? 1 : 0
        }
        #expect(hard == Self.seeds.count / 2)
    }

    @Test func `a hard image leaves nothing behind for the next one`() throws {
        let planGuard = try guarding(over: 0)
        var setup = calibrated.setup
        let cache = CachedDenoiser(
            setup.denoiser(), predictionType: setup.type, plan: Self.light, forecaster: forecaster,
            planGuard: planGuard)
        let ends = try [UInt32(1), 2, 1].map { seed in
            setup.seed = seed
            var run = try setup.start(cache)
            #expect(cache.plan == Self.light && !cache.isHard && cache.change == nil)
            while try run.next() != nil {}
            #expect(cache.isHard)
            return run.latents.elements
        }
        #expect(ends[0] == ends[2] && ends[0] != ends[1])
    }

    @Test func `what is seen is the largest change in one block, over all channels`() {
        let old = Tensor([Float](repeating: 1, count: 2 * 16 * 16), shape: [2, 16, 16])
        let new = Tensor(old.elements, shape: [2, 16, 16])
        // Two elements of one block (rows 2 and 3, columns 4 and 5), one in each channel, and one of another.
        new.values[2 * 16 + 4] = 4
        new.values[256 + 3 * 16 + 5] = -3
        new.values[15 * 16 + 15] = 5
        #expect(GuardRule.change(from: old, to: new) == 9 + 16)
        #expect(GuardRule.change(from: old, to: old) == 0)
        let small = Tensor([0, 0, 0, 0, 0, 0], shape: [1, 2, 3])
        #expect(GuardRule.change(from: small, to: Tensor([1, 0, 0, 0, 2, 0], shape: [1, 2, 3])) == 4)
    }

    @Test(arguments: [(0.0, 0), (0.25, 2), (0.3, 2), (0.5, 4), (0.9, 7)])
    func `a threshold has the wanted share of its images above it`(share: Double, above: Int) {
        let changes = [5.0, 1, 8, 3, 2, 7, 6, 4]
        let threshold = GuardRule.threshold(over: share, of: changes)
        #expect(changes.count { $0 > threshold } == above)
    }

    @Test func `the decision falls in the first sixteenth of a run, or nowhere`() {
        func call(_ steps: String) -> Int? {
            GuardRule.call(for: ReusePlan(steps: steps.map { $0 == "F" }, branches: [.conditional, .unconditional]))
        }
        let rest = String(repeating: "R", count: 46)
        #expect(call("FFFF" + rest) == 3)
        #expect(call("FFFR" + rest) == 2)
        #expect(call("FRRR" + rest) == nil)
        #expect(call("FRRRF" + rest) == nil)
        #expect(call("FFFFFFFF") == nil)
    }

    @Test func `plans or forecasts that part before the decision are refused`() throws {
        let good = try guarding(over: 1)
        try good.check(from: Self.light, forecaster)
        let other = ReusePlan(steps: "FRRRFRRFRRRF".map { $0 == "F" }, branches: .conditional)
        #expect(throws: PlanError.self) { try good.check(from: other, forecaster) }
        #expect(throws: PlanError.self) { try good.check(from: Self.light, .hold()) }
        for rule in [
            GuardRule(call: 3, threshold: 1), GuardRule(call: 12, threshold: 1), GuardRule(call: -1, threshold: 1),
            GuardRule(call: Self.call, threshold: .nan),
        ] {
            let wrong = PlanGuard(rule: rule, plan: good.plan, forecaster: good.forecaster)
            #expect(throws: PlanError.self) { try wrong.check(from: Self.light, forecaster) }
        }
    }
}
