import Caching
import Compute
import Models
import Pipeline

/// A model that a command works with: its network is loaded once, when it is first needed.
final class ModelSession {
    let directory: ModelDirectory
    /// The threads to work with: those that were asked for, as far as there is memory for them.
    private(set) var workers: Workers
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

    /// The network; opens OpenBLAS, and takes as many threads as there is memory for.
    func network() throws -> any DenoisingNetwork {
        if let loaded { return loaded }
        try makeRoom(lanes: 1, bytes: 0)
        let network = try directory.load(precision: precision, progress: log.loading)
        log.detail(BLAS.kernels.description)
        loaded = network
        return network
    }

    /// Sees to it that several images can be made at a time.
    ///
    /// - Parameters:
    ///   - lanes: how many.
    ///   - bytes: the memory that all of them share.
    /// - Returns: how many there is room for, at least 1.
    /// - Throws: `MachineError` where there is no room for one.
    @discardableResult
    func makeRoom(lanes: Int, bytes: Int) throws -> Int {
        let purpose = "sampling from \(directory.name)"
        let each = Lanes.runBytes(of: directory.config)
        // One branch at the least.
        try SystemMemory.require(each / 2, for: purpose)
        let room = try BLAS.reserve(
            threads: max(lanes, workers.count), leaving: bytes, each: each, for: purpose)
        workers = Workers(count: min(workers.count, room))
        return min(lanes, room)
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
        guard makes else { return StoredCalibration(store: store, tell: log.message) }
        return StoredCalibration(store: store, tell: log.message) { task, file in
            try CalibrationJob(session: self, settings: settings, store: store, log: self.log).carryOut(task, on: file)
        }
    }
}
