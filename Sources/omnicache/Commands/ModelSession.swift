import Models
import OmniCache
import Pipeline
import Tensor

/// A model that a command works with: its network is loaded once, when it is first needed.
final class ModelSession {
    let directory: ModelDirectory
    let workers: Workers
    private let log: Log
    private let precision: WeightPrecision
    private var loaded: (any DenoisingNetwork)?

    /// - Parameters:
    ///   - directory: the model; that of the options, if it is open already.
    ///   - options: which model, and how it is held.
    ///   - workers: the threads to work with.
    ///   - log: where loading is told of.
    /// - Throws: what opening the model throws.
    init(directory: ModelDirectory? = nil, options: ModelOptions, workers: Workers, log: Log) throws {
        self.directory = try directory ?? options.open()
        self.workers = workers
        self.log = log
        precision = options.weightsPrecision
    }

    /// The network.
    func network() throws -> any DenoisingNetwork {
        if let loaded { return loaded }
        let network = try directory.load(precision: precision, progress: log.loading)
        loaded = network
        return network
    }

    /// A decoder, loaded; it decodes with all threads, unless others are given.
    func load(_ decoder: DecoderSource, workers lane: Workers? = nil) throws -> any LatentDecoder {
        try decoder.load(workers: lane ?? workers) { [log] in log.share($0, label: "loading the decoder") }
    }

    /// The calibration for `settings`; what is missing is made, told of and kept.
    ///
    /// It is made only where `makes` says so, since that takes full runs.
    func calibration(for settings: SampleSettings, makes: Bool) -> StoredCalibration {
        let store = CalibrationStore(directory: directory, settings: settings)
        guard makes else { return StoredCalibration(store: store) }
        return StoredCalibration(store: store) { task, file in
            try CalibrationJob(session: self, settings: settings, store: store, log: self.log).carryOut(task, on: file)
        }
    }
}
