import Testing

@testable import Sampling

/// What is kept of a model's own options when another sampler or spacing is asked for.
@Suite struct SamplerChangingTests {
    private static let bases = [
        SamplerOptions(.ddim, spacing: .leading, stepsOffset: 1, eta: 0.5, clip: 1, end: .firstTimestep),
        SamplerOptions(.ddpm, spacing: .leading, clip: 1, variance: .learnedRange),
        SamplerOptions(.dpmSolver, end: .firstTimestep, lowerOrderFinal: false),
    ]

    @Test(arguments: bases, SamplerKind.allCases.filter { $0.supports(.epsilon) })
    func `options that the other sampler lacks are dropped, so that any change is valid`(
        base: SamplerOptions, kind: SamplerKind
    ) throws {
        let process = try DiffusionProcess(.epsilon, betas: .linear(start: 0.0001, end: 0.02))
        let changed = base.changed(to: kind)
        #expect(changed.kind == kind)
        try changed.validate(for: process)
        for spacing in TimestepSpacing.allCases {
            #expect(changed.changed(to: spacing).spacing == spacing)
            try changed.changed(to: spacing).validate(for: process)
        }
    }

    @Test func `what the other sampler has is kept`() {
        let base = Self.bases[0]
        #expect(base.changed(to: .ddim) == base)
        #expect(base.changed(to: .leading) == base)
        let solver = SamplerOptions(.dpmSolver, spacing: .leading, stepsOffset: 1, clip: 1, end: .firstTimestep)
        #expect(base.changed(to: .dpmSolver) == solver)
    }

    @Test func `Euler's method alone is on another sampler's path, and not for flows`() throws {
        let process = try DiffusionProcess(.epsilon, betas: .linear(start: 0.0001, end: 0.02))
        for kind in SamplerKind.allCases where kind != .euler {
            #expect(SamplerOptions(kind).onSamePath(for: process) == SamplerOptions(kind))
        }
        #expect(SamplerOptions(.euler).onSamePath(for: process) == SamplerOptions(.ddim))
        #expect(try SamplerOptions(.euler).onSamePath(for: DiffusionProcess(Flow())) == SamplerOptions(.euler))
    }
}
