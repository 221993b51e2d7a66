import Caching
import Compute
import Models
import Sampling
import Testing

@testable import Pipeline

@Suite struct BorrowedCalibrationTests {
    private let model: ToyModel
    private let file: CalibrationFile
    private let calibrator: Calibrator
    private let measurement: Calibrator.Measurement

    init() throws {
        model = try ToyModel()
        calibrator = try Calibrator(
            directory: model.directory, network: model.network, settings: model.settings, workers: Workers(count: 1))
        let items = Calibrator.items(3, told: model.directory.config.conditions)
        measurement = try calibrator.measure(items, leavesOut: true) { _ in }
        file = CalibrationFile(
            model: model.directory.reference(), settings: model.settings, items: items,
            calibration: measurement.calibration)
    }

    private func store(_ arithmetic: Arithmetic = .standard) -> CalibrationStore {
        CalibrationStore(directory: model.directory, settings: model.settings.computed(by: arithmetic))
    }

    @Test func `other arithmetics use the standard one's calibration, and say so once`() throws {
        try store().save(file, ships: true)
        var told: [String] = []
        let calibration = StoredCalibration(
            store: store(Arithmetic(.bfloat16)), standard: store(), tell: { told.append($0) })
        #expect(try calibration.knownCalibration() != nil)
        _ = try calibration.calibration()
        #expect(told.count == 1 && told[0].hasPrefix("calibrated in float32"))
        #expect(try StoredCalibration(store: store(Arithmetic(.bfloat16))).knownCalibration() == nil)
    }

    @Test func `samplers on the same path share a calibration`() throws {
        try store().save(file, ships: true)
        let session = ModelSession(directory: model.directory)
        var settings = model.settings
        for (kind, isShared) in [(SamplerKind.ddim, true), (.euler, true), (.heun, false), (.dpmSolver, false)] {
            settings.sampler = SamplerOptions(kind)
            let calibration = session.calibration(for: settings, makes: false)
            #expect(try (calibration.knownCalibration() != nil) == isShared)
        }
    }

    @Test func `one's own calibration comes first, and nothing is told`() throws {
        try store().save(file, ships: true)
        let own = Arithmetic(.bfloat16)
        try store(own).save(
            CalibrationFile(
                model: file.model, settings: model.settings.computed(by: own), items: Array(file.items.prefix(1)),
                calibration: file.calibration), ships: true)
        let calibration = StoredCalibration(
            store: store(own), standard: store(), tell: { _ in Issue.record("nothing to tell") })
        #expect(try calibration.knownCalibration() != nil)
    }

    @Test func `what the borrowed one lacks is measured anew, not added to it`() throws {
        try store().save(file, ships: true)
        var tasks: [StoredCalibration.Task] = []
        var known: [CalibrationFile?] = []
        let calibration = StoredCalibration(
            store: store(Arithmetic(.bfloat16)), standard: store(),
            make: { [file, calibrator, measurement] task, base in
                tasks.append(task)
                known.append(base)
                guard case .fit(let plan) = task else { return file }
                let check = try calibrator.fit(plan, to: measurement) { _ in }
                return (base ?? file).adding(CalibrationFile.Fit(plan: plan, forecaster: check.best))
            })
        _ = try calibration.calibration()
        #expect(tasks.isEmpty)
        let plan = ReusePlan(
            steps: (0..<model.settings.steps).map { $0 < 2 || $0.isMultiple(of: 2) },
            branches: [.conditional, .unconditional])
        _ = try calibration.forecaster(.steering, for: plan)
        #expect(tasks == [.measure, .fit(plan)])
        #expect(known.count == 2 && known[0] == nil && known[1] != nil)
    }
}
