import FoundationEssentials
import Models
import Sampling
import Testing

@testable import Pipeline

/// What `config.json` may say about the process, and what is refused.
struct DiffusionProcessConfigTests {
    private static func decode(_ json: String) throws -> DiffusionProcess {
        try DiffusionProcess(config: JSONFile(bytes: Array(json.utf8), path: "config.json"))
    }

    private func linearProcess(_ type: PredictionType = .epsilon) throws -> DiffusionProcess {
        try DiffusionProcess(type, betas: .linear(start: 0.0001, end: 0.02))
    }

    @Test func `an empty config is the official DiT's process`() throws {
        #expect(try Self.decode("{}") == linearProcess())
    }

    @Test func `the architecture's keys are ignored`() throws {
        let process = try Self.decode(#"{"depth": 6, "prediction_type": "sample", "class_names": ["a"]}"#)
        #expect(try process == linearProcess(.sample))
    }

    @Test(arguments: [
        ("v", PredictionType.vPrediction), ("v_prediction", .vPrediction), ("epsilon", .epsilon), ("sample", .sample),
        ("flow", .flow),
        ("flow_prediction", .flow),
    ])
    func `prediction types are read in both spellings`(name: String, type: PredictionType) throws {
        #expect(try Self.decode(#"{"prediction_type": "\#(name)"}"#).predictionType == type)
    }

    @Test func `a process survives being written and read`() throws {
        let processes = try [
            DiffusionProcess(.vPrediction, betas: .linear(start: 0.001, end: 0.01), trainTimesteps: 500),
            DiffusionProcess(.epsilon, betas: .scaledLinear(start: 0.001, end: 0.01)),
            DiffusionProcess(.sample, betas: .squaredCosine),
            DiffusionProcess(.epsilon, betas: .trained([0.1, 0.2, 0.3]), trainTimesteps: 3),
            DiffusionProcess(Flow(shift: 3)),
            DiffusionProcess(Flow(path: .trigonometric, direction: .toData, timestepScale: 1)),
            DiffusionProcess(Flow(shift: 2, direction: .toData), trainTimesteps: 500),
            DiffusionProcess(Flow(direction: .toData, output: .sample(floor: 0.01))),
        ]
        for process in processes {
            let data = try JSONEncoder().encode(process)
            #expect(try Self.decode(String(decoding: data, as: UTF8.self)) == process)
        }
    }

    @Test func `a flow without the newer keys is written as it was before them`() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let data = try encoder.encode(DiffusionProcess(Flow(shift: 3)))
        #expect(
            String(decoding: data, as: UTF8.self)
                == #"{"num_train_timesteps":1000,"prediction_type":"flow","shift":3}"#)
    }

    @Test func `a SiT's keys are read`() throws {
        let process = try Self.decode(
            #"""
            {"prediction_type": "flow", "flow_path": "trigonometric", "flow_direction": "to_data", "timestep_scale": 1}
            """#)
        #expect(try process == DiffusionProcess(Flow(path: .trigonometric, direction: .toData, timestepScale: 1)))
    }

    @Test func `a flow whose network gives x0 says so, and its floor is MiniT2I's unless it says another`() throws {
        let process = try Self.decode(#"{"prediction_type": "flow", "flow_output": "sample"}"#)
        #expect(try process == DiffusionProcess(Flow(output: .sample(floor: 0.05))))
    }

    @Test(arguments: [
        (
            #"{"prediction_type": "score"}"#,
            "prediction_type is score; supported: epsilon, v, sample, flow"
        ),
        (
            #"{"beta_schedule": "sigmoid"}"#,
            "beta_schedule is sigmoid; supported: linear, scaled_linear, squaredcos_cap_v2"
        ),
        (#"{"beta_end": 1.5}"#, "beta_end is 1.5; expected a number between 0 and 1"),
        (#"{"beta_start": "low"}"#, "beta_start is the text 'low', not a finite number"),
        (#"{"num_train_timesteps": 0}"#, "num_train_timesteps is 0; expected 1 to 1000000"),
        (
            #"{"trained_betas": [0.1], "num_train_timesteps": 2}"#,
            "trained_betas is 1 numbers; expected num_train_timesteps = 2 of them"
        ),
        (
            #"{"trained_betas": [0.1, 0], "num_train_timesteps": 2}"#,
            "trained_betas[1] is 0.0; expected a number between 0 and 1"
        ),
        (
            #"{"prediction_type": "flow", "beta_schedule": "linear"}"#,
            "beta_schedule has no meaning for a model whose prediction_type is flow; remove it"
        ),
        (#"{"shift": 3}"#, "shift has no meaning for a model whose prediction_type is epsilon; remove it"),
        (
            #"{"timestep_scale": 1}"#,
            "timestep_scale has no meaning for a model whose prediction_type is epsilon; remove it"
        ),
        (
            #"{"prediction_type": "flow", "flow_path": "cosine"}"#,
            "flow_path is cosine; supported: linear, trigonometric"
        ),
        (
            #"{"prediction_type": "flow", "flow_direction": 1}"#,
            "flow_direction is 1, not a text"
        ),
        (
            #"{"prediction_type": "flow", "flow_output": "x0"}"#,
            "flow_output is x0; supported: velocity, sample"
        ),
        (
            #"{"prediction_type": "flow", "velocity_floor": 0.05}"#,
            "velocity_floor has no meaning unless flow_output is sample; remove it"
        ),
        (
            #"{"prediction_type": "flow", "flow_output": "sample", "velocity_floor": 1}"#,
            "velocity_floor is 1.0; expected a number from 0 to below 1"
        ),
        (
            #"{"flow_output": "sample"}"#,
            "flow_output has no meaning for a model whose prediction_type is epsilon; remove it"
        ),
        (#"{"prediction_type": "flow", "timestep_scale": 0}"#, "timestep_scale is 0.0; expected a positive number"),
        (
            #"{"prediction_type": "flow", "flow_path": "trigonometric", "shift": 3}"#,
            "shift is 3.0; expected 1, unless the flow_path is linear"
        ),
        (#"{"prediction_type": "flow", "shift": -1}"#, "shift is -1.0; expected a positive number"),
        (#"{"prediction_type": null}"#, "prediction_type is null, not a text"),
        (#"{"num_train_timesteps": null}"#, "num_train_timesteps is null, not a whole number"),
        (#"{"num_train_timesteps": "1000"}"#, "num_train_timesteps is the text '1000', not a whole number"),
        (#"{"num_train_timesteps": true}"#, "num_train_timesteps is true, not a whole number"),
        (#"{"num_train_timesteps": 1e300}"#, "num_train_timesteps is 1e+300, not a whole number"),
        (#"{"beta_end": null}"#, "beta_end is null, not a finite number"),
        (#"{"beta_end": NaN}"#, "beta_end is NaN, not a finite number"),
        (#"{"beta_schedule": ["linear"]}"#, "beta_schedule is the list [the text 'linear'], not a text"),
        (
            #"{"trained_betas": [0.1, null], "num_train_timesteps": 2}"#,
            "trained_betas is a list with null at 1, not a list (each element a finite number)"
        ),
        (#"{"prediction_type": "flow", "shift": null}"#, "shift is null, not a finite number"),
    ])
    func `a field that cannot be used is named in one line`(json: String, message: String) {
        let error = #expect(throws: ModelError.self) { try Self.decode(json) }
        #expect(error == .invalidConfig(path: "config.json", reason: message))
    }

    @Test func `null is no value where there may be none, and what is not used is not read`() throws {
        let empty = #"{"trained_betas": null, "timestep_scale": null, "flow_path": null, "shift": null}"#
        #expect(try Self.decode(empty) == linearProcess())
        let flow = #"{"prediction_type": "flow", "beta_end": null, "timestep_scale": null}"#
        #expect(try Self.decode(flow) == DiffusionProcess(Flow(shift: 1)))
        let listed = #"{"trained_betas": [0.1], "num_train_timesteps": 1.0, "beta_schedule": null, "beta_end": null}"#
        #expect(try Self.decode(listed) == DiffusionProcess(.epsilon, betas: .trained([0.1]), trainTimesteps: 1))
        #expect(try Self.decode(#"{"loss": NaN, "best": -Infinity}"#) == linearProcess())
    }
}
