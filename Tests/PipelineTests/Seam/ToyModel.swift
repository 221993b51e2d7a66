import Caching
import Compute
import Foundation
import Models
import Sampling

@testable import Pipeline

/// A directory of the toy, removed with this object.
final class ToyModel {
    let path: String
    let directory: ModelDirectory
    let network: any DenoisingNetwork
    let settings = SampleSettings(
        steps: 10, sampler: SamplerOptions(.ddim), guidanceScale: 2, guidedChannels: nil)

    init(frames: Int = 2) throws {
        path = FileManager.default.temporaryDirectory.appending(path: "omnicache-tests-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        let config =
            #"{"architecture": "toy", "channels": 3, "frames": \#(frames), "height": 12, "width": 16}"#
        try Data(config.utf8).write(to: URL(filePath: "\(path)/config.json"))
        let tensors = (0..<3).flatMap { block in
            [
                (
                    name: "blocks.\(block).mix.weight",
                    tensor: Tensor([-0.3, 0.1, 0, 0.05, -0.2, 0.1, 0, 0.1, -0.25], shape: [3, 3])
                ),
                (name: "blocks.\(block).mix.bias", tensor: Tensor([0.01, -0.02, 0.03], shape: [3])),
            ]
        }
        try Data(SafetensorsWriter.bytes(tensors)).write(to: URL(filePath: "\(path)/model.safetensors"))
        directory = try ModelDirectory(path: path, families: NetworkFamily.all + [ToyConfiguration.family])
        network = try directory.load()
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func sampler() throws -> ImageSampler {
        try ImageSampler(directory: directory, network: network, settings: settings, workers: Workers(count: 2))
    }

    func sample(_ item: SampleItem, wrap: (NetworkDenoiser) -> any Denoiser = { $0 }) throws -> Tensor {
        var run = try sampler().start(item, wrap: wrap)
        while try run.next() != nil {}
        return run.latents
    }

    /// A calibration of two images, with a forecaster fitted for each plan that is asked for.
    func calibration() throws -> StoredCalibration {
        let calibrator = try Calibrator(
            directory: directory, network: network, settings: settings, workers: Workers(count: 2))
        let items = Calibrator.items(3, told: directory.config.conditions)
        let measurement = try calibrator.measure(items, leavesOut: true) { _ in }
        let file = CalibrationFile(
            model: directory.reference(), settings: settings, items: items,
            calibration: measurement.calibration)
        let store = CalibrationStore(directory: directory, settings: settings)
        return StoredCalibration(
            store: store,
            make: { task, known in
                guard case .fit(let plan) = task else { return file }
                let check = try calibrator.fit(plan, to: measurement) { _ in }
                return (known ?? file).adding(CalibrationFile.Fit(plan: plan, forecaster: check.best))
            })
    }
}
