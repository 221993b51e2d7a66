import Caching
import Compute
import Evaluation
import Foundation
import FuzzHarness
import Models
import Pipeline
import TestSupport

/// Plans and calibrations. Both carry a checksum, so each input is read twice: as it is, and sealed with the checksum of
/// what it says, as somebody would write it who knows the format.
enum ReuseReaders {
    private static let words = [
        "\"FRFRFF\"", "\"RRRRRR\"", "\"FFFFFF\"", "\"conditional\"", "\"unconditional\"", "\"hold\"", "\"taylor\"",
        "\"hermite\"", "\"omnicache\"", "\"spectral\"", "\"steering\"", "\"clean\"", "\"velocity\"", "\"path\"",
        "[0, 0, 0, 0, 0, 0]", "\"planner\\u0000\"",
    ]

    /// A plan, from its file to an image.
    static let plan = Reader("plan") { folder in
        let run = try TinyRun(at: "\(folder)/model")
        _ = try calibrated(run)
        let source = StoredCalibration(store: CalibrationStore(directory: run.directory, settings: TinyRun.settings))
        let resolver = PlanResolver(schedule: try TinyRun.settings.schedule(for: run.directory), calibration: source)
        let records = try requests.compactMap { try resolver.resolve($0) }
        let seeds = records.map { PlanFile(model: run.reference, settings: TinyRun.settings, reuse: $0).bytes }
        let path = "\(folder)/plan.json"
        let sealed = "\(folder)/sealed.json"
        return Subject(
            seeds: seeds, at: path, mutate: JSONMutation(words: words).mutated,
            command: [
                "sample", "--model", run.directory.path, "--plan", sealed, "--class", "0", "--seed", "1", "--threads",
                "1",
                "--force", "--output", "\(folder)/image.png",
            ]
        ) {
            try seal(path, as: sealed) {
                try PlanFile(path: $0)
            } sealing: {
                PlanFile(model: $0.model, settings: $0.settings, reuse: $0.reuse).bytes
            }
            let file = try PlanFile(path: sealed)
            let schedule = try TinyRun.settings.schedule(for: run.directory)
            _ = (file.drawing, file.reuse.summary, file.reuse.decisions.description)
            try file.check(model: run.reference, settings: TinyRun.settings, schedule: schedule, path: sealed)
            try run.sample(reuse: file.reuse)
        }
    }

    /// A calibration, from its file to plans by every planner and fitted forecaster.
    static let calibration = Reader("calibration") { folder in
        let run = try TinyRun(at: "\(folder)/model")
        let (file, sealed) = try calibrated(run)
        let path = "\(folder)/calibration.json"
        return Subject(
            seeds: [file.bytes], at: path, mutate: JSONMutation(words: words).mutated,
            command: [
                "sample", "--model", run.directory.path, "--steps", "6", "--sampler", "ddim", "--cfg-scale", "4",
                "--budget", "0.5",
                "--class", "0", "--seed", "1", "--dry-run", "--output", "\(folder)/image.png",
            ]
        ) {
            try seal(path, as: sealed) {
                try CalibrationFile(path: $0)
            } sealing: {
                CalibrationFile(
                    model: $0.model, settings: $0.settings, items: $0.items, calibration: $0.calibration, fits: $0.fits
                ).bytes
            }
            let store = CalibrationStore(directory: run.directory, settings: TinyRun.settings)
            let schedule = try TinyRun.settings.schedule(for: run.directory)
            for request in requests {
                let resolver = PlanResolver(schedule: schedule, calibration: StoredCalibration(store: store))
                if let record = try resolver.resolve(request) { try run.sample(reuse: record) }
            }
        }
    }

    /// What plans are made from: every planner, and every forecaster that takes anything from a calibration.
    private static let requests: [ReuseRequest] = [
        ReuseRequest(mask: "FRFRFF", forecaster: .calibrated(.steering)),
        ReuseRequest(budget: half, planner: .path), ReuseRequest(budget: half, planner: .uniform),
        ReuseRequest(budget: half, planner: .curvature), ReuseRequest(budget: half, planner: .late),
        ReuseRequest(budget: half, planner: .balanced, forecaster: .calibrated(.spectral)),
        ReuseRequest(budget: half, planner: .pathDeviation, forecaster: .calibrated(.omnicacheUnfiltered)),
        ReuseRequest(
            budget: half, planner: .uniform, forecaster: .complete(.hermite(order: 2, scale: 0.5, quantity: .clean))),
    ]

    private static let half = try? Budget(0.7)

    /// Calibrates the tiny model, fits a forecaster, and keeps both in the model's directory.
    private static func calibrated(_ run: TinyRun) throws -> (file: CalibrationFile, path: String) {
        let calibrator = try Calibrator(
            directory: run.directory, network: run.network, settings: TinyRun.settings, workers: Workers(count: 1))
        let measurement = try calibrator.measure(Calibrator.items(2, told: .classes(3)), leavesOut: true) { _ in }
        let plan = ReusePlan(
            steps: [true, false, true, false, true, true], branches: [.conditional, .unconditional])
        let fit = CalibrationFile.Fit(plan: plan, forecaster: try calibrator.fit(plan, to: measurement) { _ in }.best)
        let file = CalibrationFile(
            model: run.reference, settings: TinyRun.settings, items: measurement.items,
            calibration: measurement.calibration, fits: [fit])
        let store = CalibrationStore(directory: run.directory, settings: TinyRun.settings)
        return (file, try store.save(file, ships: true))
    }

    /// Reads a file as it is, and writes it with the right checksum; as it is if nothing can be made of it.
    private static func seal<File: Decodable>(
        _ path: String, as sealed: String, read: (String) throws -> File, sealing: (File) -> [UInt8]
    ) throws {
        let bytes = try Files.read(path)
        let decoded = try? JSONDecoder().decode(File.self, from: Data(bytes))
        try Files.write(decoded.map(sealing) ?? bytes, to: sealed)
        do {
            _ = try read(path)
        } catch {
            guard isDocumented(error) else { throw error }
        }
    }
}
