import FoundationEssentials
import Testing

@testable import Sampling

/// Which requests are refused and what the refusal says, and how options are stored.
struct SamplerOptionsTests {
    private static func message(_ options: SamplerOptions, _ type: PredictionType = .epsilon, steps: Int = 10)
        -> String?
    {
        let error = #expect(throws: SamplingError.self) {
            let process = try type == .flow ? DiffusionProcess(Flow(shift: 1)) : linearProcess(type)
            _ = try makeSampler(options, process: process, steps: steps, shape: [1])
        }
        return error?.description
    }

    @Test func `options survive being written and read`() throws {
        let options = SamplerOptions(
            .dpmSolver, spacing: .leading, stepsOffset: 1, eta: 0.5, clip: 2, variance: .fixedLarge,
            end: .firstTimestep, lowerOrderFinal: false)
        let data = try JSONEncoder().encode(options)
        #expect(try JSONDecoder().decode(SamplerOptions.self, from: data) == options)
    }

    @Test func `absent options take their defaults`() throws {
        let options = try JSONDecoder().decode(SamplerOptions.self, from: Data(#"{"kind": "heun"}"#.utf8))
        #expect(options == SamplerOptions(.heun))
    }

    @Test func `options of the sde sampler survive being written and read`() throws {
        let options = SamplerOptions(
            .sde, spacing: .trailing, diffusionForm: .increasingDecreasing, diffusionNorm: 0.3, lastStep: .tweedie,
            lastStepSize: 0.1)
        #expect(try JSONDecoder().decode(SamplerOptions.self, from: JSONEncoder().encode(options)) == options)
    }

    @Test func `options from before the sde sampler are written as they were`() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        #expect(
            try String(decoding: encoder.encode(SamplerOptions(.ddim, clip: 1)), as: UTF8.self)
                == #"{"clip":1,"end":"clean","eta":0,"kind":"ddim","lowerOrderFinal":true,"spacing":"linspace","#
                + #""stepsOffset":0,"variance":"fixed_small"}"#)
        #expect(
            try String(decoding: encoder.encode(SamplerOptions(.sde)), as: UTF8.self)
                == #"{"diffusionForm":"sigma","diffusionNorm":1,"end":"clean","eta":0,"kind":"sde","lastStep":"mean","#
                + #""lastStepSize":0.04,"lowerOrderFinal":true,"spacing":"linspace","stepsOffset":0,"#
                + #""variance":"fixed_small"}"#)
    }

    @Test func `samplers have their command-line names`() {
        #expect(SamplerKind.allCases.map(\.rawValue) == ["ddim", "ddpm", "dpm++2m", "euler", "heun", "sde"])
    }

    @Test(arguments: TimestepSpacing.allCases, [0, -1, 1001, .max])
    func `steps outside the schedule are refused with the limits`(spacing: TimestepSpacing, steps: Int) {
        #expect(
            Self.message(SamplerOptions(.ddim, spacing: spacing), steps: steps)
                == "steps is \(steps); \(spacing.rawValue) spacing takes 1 to 1000")
    }

    @Test(arguments: TimestepSpacing.allCases)
    func `a full-length run visits every timestep`(spacing: TimestepSpacing) throws {
        let list = try spacing.timesteps(steps: 1000, trainTimesteps: 1000)
        #expect(list == (0..<1000).reversed())
    }

    @Test func `the list that drops its last timestep is one shorter at most`() {
        #expect(
            Self.message(SamplerOptions(.dpmSolver, spacing: .leading), steps: 1000)
                == "steps is 1000; leading spacing takes 1 to 999")
    }

    @Test(arguments: TimestepSpacing.allCases, [1, 2, 3, 10])
    func `short schedules give strictly falling lists for every step count`(spacing: TimestepSpacing, total: Int) throws
    {
        for steps in 1...total {
            let list = try spacing.timesteps(steps: steps, trainTimesteps: total)
            #expect(list.count == steps)
            #expect(list.allSatisfy { (0..<total).contains($0) })
            #expect(zip(list, list.dropFirst()).allSatisfy { $0 > $1 })
        }
    }

    @Test func `combinations without a meaning are refused with what works`() {
        #expect(
            Self.message(SamplerOptions(.ddim), .flow)
                == "sampler ddim does not work for flow models; use dpm++2m, euler, heun, sde")
        #expect(
            Self.message(SamplerOptions(.euler, spacing: .leading), .flow)
                == "leading spacing does not work for flow models; use trailing, linspace")
        #expect(
            Self.message(SamplerOptions(.euler, eta: 0.5))
                == "sampler euler has no eta; leave it at its default, or use ddim")
        #expect(
            Self.message(SamplerOptions(.heun, clip: 1))
                == "sampler heun has no clip; leave it at its default, or use ddim, ddpm, dpm++2m")
        #expect(
            Self.message(SamplerOptions(.ddim, variance: .fixedLarge))
                == "sampler ddim has no variance; leave it at its default, or use ddpm")
        #expect(
            Self.message(SamplerOptions(.ddim, lowerOrderFinal: false))
                == "sampler ddim has no lower order final; leave it at its default, or use dpm++2m")
        #expect(
            Self.message(SamplerOptions(.ddpm, end: .firstTimestep))
                == "sampler ddpm has no end; leave it at its default, or use ddim, dpm++2m, euler, heun")
        #expect(
            Self.message(SamplerOptions(.euler, end: .firstTimestep), .flow)
                == "end has no meaning for a model whose prediction_type is flow; remove it")
    }

    @Test func `the sde sampler is for flows, and its options are for it`() {
        #expect(
            Self.message(SamplerOptions(.sde))
                == "sampler sde does not work for epsilon models; use ddim, ddpm, dpm++2m, euler, heun")
        for (name, options) in [
            ("diffusion form", SamplerOptions(.euler, diffusionForm: .constant)),
            ("diffusion norm", SamplerOptions(.euler, diffusionNorm: 2)),
            ("last step", SamplerOptions(.euler, lastStep: .tweedie)),
            ("last step size", SamplerOptions(.euler, lastStepSize: 0.1)),
        ] {
            #expect(
                Self.message(options, .flow)
                    == "sampler euler has no \(name); leave it at its default, or use sde")
        }
        #expect(
            Self.message(SamplerOptions(.sde, diffusionNorm: -1), .flow)
                == "the diffusion norm is -1.0; expected a number from 0 up")
        for size in [0, 1, .nan] {
            #expect(
                Self.message(SamplerOptions(.sde, lastStepSize: size), .flow)
                    == "the last step size is \(size); expected a number between 0 and 1")
        }
        for steps in [0, 1, 1001] {
            #expect(
                Self.message(SamplerOptions(.sde), .flow, steps: steps)
                    == "steps is \(steps); expected 2 to 1000 for sampler sde")
        }
    }

    @Test func `numbers out of range are refused with the range`() {
        #expect(Self.message(SamplerOptions(.ddim, eta: .nan)) == "eta is nan; expected a number from 0 to 1")
        #expect(Self.message(SamplerOptions(.ddim, eta: 1.5)) == "eta is 1.5; expected a number from 0 to 1")
        #expect(Self.message(SamplerOptions(.ddim, clip: 0)) == "clip is 0.0; expected a positive number")
        #expect(
            Self.message(SamplerOptions(.ddim, spacing: .trailing, stepsOffset: 1))
                == "the steps offset is 1; expected 0, unless the spacing is leading")
        #expect(
            Self.message(SamplerOptions(.ddim, spacing: .leading, stepsOffset: 100))
                == "the steps offset is 100; with this many steps it can be 0 to 99")
    }
}
