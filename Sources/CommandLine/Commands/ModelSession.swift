import Caching
import Compute
import Models
import Pipeline

/// The model of a command. Its network is loaded once, when it is first needed.
final class ModelSession {
    let directory: ModelDirectory
    /// The threads to work with: those that were asked for, or fewer if memory is short.
    private(set) var workers: Workers
    private let log: Log
    private let precision: WeightPrecision
    private var loaded: (any DenoisingNetwork)?

    /// - Parameters:
    ///   - directory: the model; that of the options, if it is open already.
    ///   - options: which model, and how it is held.
    ///   - workers: the threads to work with.
    ///   - log: shows the progress of loading.
    /// - Throws: what opening the model throws.
    init(directory: ModelDirectory? = nil, options: ModelOptions, workers: Workers, log: Log) throws {
        self.directory = try directory ?? options.open()
        self.workers = workers
        self.log = log
        precision = options.weightsPrecision
    }

    /// The network. Opens OpenBLAS, and reduces the threads if memory is short.
    func network() throws -> any DenoisingNetwork {
        if let loaded { return loaded }
        try makeRoom(lanes: 1, bytes: 0)
        let network = try directory.load(precision: precision, progress: log.loading)
        log.detail(BLAS.kernels.description)
        loaded = network
        return network
    }

    /// Reserves the memory to sample several images at the same time.
    ///
    /// - Parameters:
    ///   - lanes: how many images.
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

    /// Loads a decoder. It uses all threads, unless others are given.
    func load(_ decoder: DecoderSource, workers lane: Workers? = nil) throws -> any LatentDecoder {
        try decoder.load(workers: lane ?? workers) { [log] in log.share($0, label: "loading the decoder") }
    }

    /// The calibration for `settings`. If `makes` is true, a missing calibration or fit is made and saved, which costs full
    /// runs.
    func calibration(for settings: SampleSettings, makes: Bool) -> StoredCalibration {
        let store = CalibrationStore(directory: directory, settings: settings)
        guard makes else { return StoredCalibration(store: store, tell: log.message) }
        return StoredCalibration(store: store, tell: log.message) { task, file in
            try CalibrationJob(session: self, settings: settings, store: store, log: self.log).carryOut(task, on: file)
        }
    }
}
