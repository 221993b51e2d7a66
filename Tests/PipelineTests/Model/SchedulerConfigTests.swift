import Foundation
import Models
import PipelineSupport
import Sampling
import Testing

@testable import Pipeline

@Suite struct SchedulerConfigTests {
    private let folder: TinyPipeline

    init() throws {
        folder = try TinyPipeline()
    }

    private func read(_ members: String, className: String? = nil) throws -> SchedulerConfig {
        try folder.write(Data("{\(members)}".utf8), to: "scheduler_config.json")
        return try SchedulerConfig(path: folder.path + "/scheduler_config.json", className: className)
    }

    private static let betas = BetaSchedule.linear(start: 0.0001, end: 0.02)

    /// What `SCHEDULER().save_pretrained(...)` of diffusers 0.42.1 writes, `null` and version left out.
    @Test func `the defaults are those of diffusers' classes`() throws {
        let linear = try DiffusionProcess(.epsilon, betas: Self.betas)
        let ddim = try read(#""_class_name": "DDIMScheduler", "trained_betas": null"#)
        #expect(ddim.process == linear)
        #expect(ddim.sampler == SamplerOptions(.ddim, spacing: .leading, clip: 1))
        let ddpm = try read(#""_class_name": "DDPMScheduler""#)
        #expect(ddpm.process == linear)
        #expect(ddpm.sampler == SamplerOptions(.ddpm, spacing: .leading, clip: 1))
        let solver = try read(
            """
            "_class_name": "DPMSolverMultistepScheduler", "algorithm_type": "dpmsolver++", "lambda_min_clipped": -Infinity,
            "euler_at_final": false, "final_sigmas_type": "zero", "flow_shift": 1.0, "solver_order": 2,
            "solver_type": "midpoint", "use_karras_sigmas": false, "variance_type": null
            """)
        #expect(solver.process == linear)
        #expect(solver.sampler == SamplerOptions(.dpmSolver, spacing: .linspace))
        let flow = try read(#""_class_name": "FlowMatchEulerDiscreteScheduler", "shift_terminal": null"#)
        #expect(flow.process == (try DiffusionProcess(Flow(shift: 1))))
        #expect(flow.sampler == SamplerOptions(.euler, spacing: .linspace))
        let heun = try read(#""_class_name": "HeunDiscreteScheduler", "timestep_spacing": "leading""#)
        #expect(heun.process == (try DiffusionProcess(.epsilon, betas: .linear(start: 0.00085, end: 0.012))))
        #expect(heun.sampler == SamplerOptions(.heun, spacing: .leading))
    }

    @Test func `every supported key is heard`() throws {
        let ddim = try read(
            """
            "_class_name": "DDIMScheduler", "num_train_timesteps": 500, "beta_start": 0.001, "beta_end": 0.01,
            "beta_schedule": "scaled_linear", "prediction_type": "v_prediction", "timestep_spacing": "trailing",
            "steps_offset": 1, "clip_sample": true, "clip_sample_range": 2.5, "set_alpha_to_one": false
            """)
        let scaled = BetaSchedule.scaledLinear(start: 0.001, end: 0.01)
        #expect(ddim.process == (try DiffusionProcess(.vPrediction, betas: scaled, trainTimesteps: 500)))
        #expect(ddim.sampler == SamplerOptions(.ddim, spacing: .trailing, clip: 2.5, end: .firstTimestep))
        let ddpm = try read(
            """
            "_class_name": "DDPMScheduler", "num_train_timesteps": 3, "trained_betas": [0.1, 0.2, 0.3],
            "variance_type": "learned_range", "clip_sample": false, "steps_offset": 2
            """)
        #expect(ddpm.process == (try DiffusionProcess(.epsilon, betas: .trained([0.1, 0.2, 0.3]), trainTimesteps: 3)))
        #expect(ddpm.sampler == SamplerOptions(.ddpm, spacing: .leading, stepsOffset: 2, variance: .learnedRange))
        let solver = try read(
            """
            "_class_name": "DPMSolverMultistepScheduler", "beta_schedule": "squaredcos_cap_v2",
            "final_sigmas_type": "sigma_min", "lower_order_final": false, "prediction_type": "sample"
            """)
        #expect(solver.process == (try DiffusionProcess(.sample, betas: .squaredCosine)))
        #expect(solver.sampler == SamplerOptions(.dpmSolver, end: .firstTimestep, lowerOrderFinal: false))
        #expect(try read(#""beta_end": 0.01"#, className: "DDIMScheduler").sampler.kind == .ddim)
    }

    /// What `SCHEDULER.from_config({"KEY": None})` of diffusers 0.42.1 does: a flag is false, and what may be None is none.
    @Test func `a null is None where the scheduler takes it`() throws {
        let ddim = Self.of("DDIM", #""clip_sample": null"#)
        #expect(try read(ddim).sampler == SamplerOptions(.ddim, spacing: .leading))
        let end = Self.of("DDIM", #""set_alpha_to_one": null, "thresholding": null, "rescale_betas_zero_snr": null"#)
        #expect(try read(end).sampler == SamplerOptions(.ddim, spacing: .leading, clip: 1, end: .firstTimestep))
        let ddpm = Self.of("DDPM", #""variance_type": null, "clip_sample": null, "clip_sample_range": null"#)
        #expect(try read(ddpm).sampler == SamplerOptions(.ddpm, spacing: .leading))
        let solver = Self.of(
            "DPMSolverMultistep",
            #""lower_order_final": null, "final_sigmas_type": "sigma_min", "euler_at_final": null, "use_lu_lambdas": null"#
        )
        #expect(try read(solver).sampler == SamplerOptions(.dpmSolver, end: .firstTimestep, lowerOrderFinal: false))
        let euler = Self.of("EulerDiscrete", #""timestep_spacing": "leading", "timestep_type": null"#)
        #expect(try read(euler).sampler == SamplerOptions(.euler, spacing: .leading))
        let flow = Self.of(
            "FlowMatchEulerDiscrete", #""use_dynamic_shifting": null, "invert_sigmas": null, "shift_terminal": 0.0"#)
        #expect(try read(flow).sampler == SamplerOptions(.euler, spacing: .linspace))
        // What is not used is not read, in either reader.
        let unused = Self.of(
            "DDIM",
            #""timestep_spacing": "trailing", "steps_offset": null, "clip_sample": 0, "clip_sample_range": null"#)
        #expect(try read(unused).sampler == SamplerOptions(.ddim, spacing: .trailing))
        let listed = Self.of(
            "DDIM", #""trained_betas": [0.1, 0.2], "num_train_timesteps": 2.0, "beta_schedule": null, "beta_end": null"#
        )
        #expect(try read(listed).process == DiffusionProcess(.epsilon, betas: .trained([0.1, 0.2]), trainTimesteps: 2))
        let cosine = Self.of("DDIM", #""beta_schedule": "squaredcos_cap_v2", "beta_start": null"#)
        #expect(try read(cosine).process == DiffusionProcess(.epsilon, betas: .squaredCosine))
    }

    /// Each of these makes `SCHEDULER.from_config(...)`, `set_timesteps(10)` or a step raise in diffusers 0.42.1.
    @Test(
        arguments: [
            ("DDIM", "num_train_timesteps"), ("DDIM", "beta_start"), ("DDIM", "beta_end"), ("DDIM", "beta_schedule"),
            ("DDIM", "prediction_type"), ("DDIM", "timestep_spacing"), ("DDIM", "steps_offset"),
            ("DDIM", "clip_sample_range"), ("DDPM", "steps_offset"), ("DPMSolverMultistep", "solver_order"),
            ("DPMSolverMultistep", "algorithm_type"), ("DPMSolverMultistep", "solver_type"),
            ("DPMSolverMultistep", "use_karras_sigmas"), ("DPMSolverMultistep", "use_beta_sigmas"),
            ("DPMSolverMultistep", "final_sigmas_type"), ("DPMSolverMultistep", "lambda_min_clipped"),
            ("EulerDiscrete", "interpolation_type"), ("EulerDiscrete", "use_exponential_sigmas"),
            ("HeunDiscrete", "use_karras_sigmas"), ("HeunDiscrete", "timestep_spacing"),
            ("FlowMatchEulerDiscrete", "shift"), ("FlowMatchEulerDiscrete", "use_beta_sigmas"),
        ])
    func `a null that breaks the scheduler is named`(name: String, key: String) throws {
        let error = try #require(throws: ModelError.self) { try read(Self.of(name, #""\#(key)": null"#)) }
        #expect(error.kind == .badData)
        #expect(error.description.contains("\(key) of \(name)Scheduler is null, not"), "\(error)")
    }

    /// `s = SCHEDULER(**keys); s.set_timesteps(8); print(s.timesteps)`, diffusers 0.42.1.
    @Test(
        arguments: [
            (#""_class_name": "DDIMScheduler""#, [875, 750, 625, 500, 375, 250, 125, 0]),
            (#""_class_name": "DDIMScheduler", "steps_offset": 1"#, [876, 751, 626, 501, 376, 251, 126, 1]),
            (
                #""_class_name": "DDIMScheduler", "timestep_spacing": "trailing", "steps_offset": 1"#,
                [999, 874, 749, 624, 499, 374, 249, 124]
            ),
            (#""_class_name": "DDPMScheduler""#, [875, 750, 625, 500, 375, 250, 125, 0]),
            (#""_class_name": "DPMSolverMultistepScheduler""#, [999, 874, 749, 624, 500, 375, 250, 125]),
            (
                #""_class_name": "DPMSolverMultistepScheduler", "timestep_spacing": "leading", "steps_offset": 1"#,
                [889, 778, 667, 556, 445, 334, 223, 112]
            ),
            (
                #""_class_name": "HeunDiscreteScheduler", "timestep_spacing": "leading", "steps_offset": 1"#,
                [876, 751, 751, 626, 626, 501, 501, 376, 376, 251, 251, 126, 126, 1, 1]
            ),
            (
                #""_class_name": "FlowMatchEulerDiscreteScheduler", "shift": 3.0"#,
                [1000, 947.54254, 882.78778, 800.83734, 693.79309, 548.04559, 337.97217, 8.9285717]
            ),
        ] as [(String, [Double])])
    func `the model is called at the scheduler's timesteps`(members: String, expected: [Double]) throws {
        let config = try read(members)
        let calls = try makeSampler(config.sampler, process: #require(config.process), steps: 8, shape: [1]).calls
        // Single precision in the reference, and nine digits here.
        #expect(calls.count == expected.count)
        #expect(zip(calls, expected).allSatisfy { abs($0.timestep - $1) < 1e-4 })
    }

    @Test(
        arguments: [
            (#""_class_name": "PNDMScheduler""#, ["PNDMScheduler", "DDIMScheduler, DDPMScheduler, DPMSolver"]),
            ("", ["_class_name is missing", "FlowMatchEulerDiscreteScheduler"]),
            (of("DDIM", #""thresholding": true"#), ["thresholding of DDIMScheduler is true; supported: false"]),
            (of("DDIM", #""rescale_betas_zero_snr": true"#), ["rescale_betas_zero_snr"]),
            (of("DDIM", #""beta_schedule": "laplace""#), ["laplace", "linear, scaled_linear, squaredcos_cap_v2"]),
            (of("DDIM", #""beta_end": 2"#), ["beta_end is 2.0", "between 0 and 1"]),
            (of("DDIM", #""beta_end": "much""#), ["beta_end of DDIMScheduler is the text 'much', not a finite number"]),
            (of("DDIM", #""steps_offset": 0.5"#), ["steps_offset of DDIMScheduler is 0.5, not a whole number"]),
            (
                of("DDIM", #""clip_sample": "true""#),
                ["clip_sample of DDIMScheduler is the text 'true', not true or false"]
            ),
            (of("DDIM", #""clip_sample": 2"#), ["clip_sample of DDIMScheduler is 2, not true or false"]),
            (of("DDIM", #""steps_offset": true"#), ["steps_offset of DDIMScheduler is true, not a whole number"]),
            (of("DDIM", #""steps_offset": 1e99"#), ["steps_offset of DDIMScheduler is 1e+99, not a whole number"]),
            (of("DDIM", #""clip_sample_range": NaN"#), ["clip_sample_range of DDIMScheduler is NaN"]),
            (of("DDIM", #""beta_end": Infinity"#), ["beta_end of DDIMScheduler is inf, not a finite number"]),
            (of("DDIM", #""prediction_type": ["epsilon"]"#), ["prediction_type of DDIMScheduler is the list"]),
            (#""_class_name": ["DDIMScheduler"]"#, ["_class_name is the list [the text 'DDIMScheduler'], not a text"]),
            (#""_class_name": null"#, ["_class_name is null, not a text"]),
            (#""_class_name": 7"#, ["_class_name is 7, not a text"]),
            (of("DDIM", #""num_train_timesteps": 0"#), ["num_train_timesteps is 0"]),
            (of("DDIM", #""timestep_spacing": "even""#), ["timestep_spacing", "even", "leading, trailing, linspace"]),
            (
                of("DDIM", #""prediction_type": "flow_prediction""#),
                ["flow_prediction", "epsilon, v_prediction, sample"]
            ),
            (of("DDPM", #""variance_type": "fixed_large_log""#), ["fixed_large_log", "fixed_small", "learned_range"]),
            (of("DPMSolverMultistep", #""solver_order": 3"#), ["solver_order", "is 3; supported: 2"]),
            (of("DPMSolverMultistep", #""algorithm_type": "sde-dpmsolver++""#), ["algorithm_type", "dpmsolver++"]),
            (of("DPMSolverMultistep", #""use_karras_sigmas": true"#), ["use_karras_sigmas"]),
            (of("DPMSolverMultistep", #""use_flow_sigmas": true"#), ["use_flow_sigmas"]),
            (of("DPMSolverMultistep", #""lambda_min_clipped": -5.1"#), ["lambda_min_clipped", "-5.1", "-Infinity"]),
            (
                of("DPMSolverMultistep", #""final_sigmas_type": "sigma_min", "euler_at_final": true"#),
                ["euler_at_final"]
            ),
            (of("EulerDiscrete", ""), ["timestep_spacing", "linspace by default", "leading"]),
            (of("FlowMatchEulerDiscrete", #""use_dynamic_shifting": true"#), ["use_dynamic_shifting"]),
            (of("FlowMatchEulerDiscrete", #""shift_terminal": 0.1"#), ["shift_terminal", "0.1", "null"]),
            (of("FlowMatchEulerDiscrete", #""shift": 0"#), ["shift is 0.0"]),
        ] as [(String, [String])])
    func `what would change the result and is not supported is named`(members: String, says: [String]) throws {
        let error = try #require(throws: ModelError.self) { try read(members) }
        #expect(error.kind == .badData)
        for text in says + ["scheduler_config.json"] { #expect(error.description.contains(text), "\(error)") }
        #expect(!error.description.contains("\n"))
    }

    private static func of(_ name: String, _ members: String) -> String {
        #""_class_name": "\#(name)Scheduler""# + (members.isEmpty ? "" : ", ") + members
    }
}
