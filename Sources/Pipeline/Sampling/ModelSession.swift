import Compute
import Models

/// A model that runs are made with: its network is loaded once, when it is first needed.
public final class ModelSession {
    /// What a session reports.
    public enum Event {
        case message(String)
        /// Only for those who want to know every detail.
        case detail(String)
        /// How much of a task, such as "loading the model", is done, from 0 to 1.
        case progress(Double, task: String)
    }

    /// The model.
    public let directory: ModelDirectory
    /// The threads to work with: those that were asked for, as far as there is memory for them.
    public private(set) var workers: Workers

    package let report: (Event) -> Void
    /// Called between the steps of calibrations; throws to stop them.
    let checkpoint: () throws -> Void
    /// What multiplies, and how precisely.
    public let arithmetic: Arithmetic
    private let precision: WeightPrecision
    private var loaded: (any DenoisingNetwork)?

    /// Prepares to load a model.
    ///
    /// - Parameters:
    ///   - directory: the model.
    ///   - workers: the threads to work with.
    ///   - precision: how wide the weights are in memory.
    ///   - arithmetic: what multiplies, and how precisely; images must be asked for with the same in their settings.
    ///   - checkpoint: called between the steps of calibrations; throws to stop them.
    ///   - report: called with messages and progress.
    public init(
        directory: ModelDirectory, workers: Workers = Workers(), precision: WeightPrecision = .float32,
        arithmetic: Arithmetic = .standard, checkpoint: @escaping () throws -> Void = {},
        report: @escaping (Event) -> Void = { _ in }
    ) {
        self.directory = directory
        self.workers = workers
        self.precision = precision
        self.arithmetic = arithmetic
        self.checkpoint = checkpoint
        self.report = report
    }

    /// The network; opens OpenBLAS and the engine, and takes as many threads as there is memory for.
    public func network() throws -> any DenoisingNetwork {
        if let loaded { return loaded }
        try makeRoom(images: 1, bytes: 0)
        let engine = try arithmetic.open()
        try CheckedKernels.check(engine)
        let prompts = try directory.prompts.map { source in
            try source.open(engine: engine) { [report] in report(.progress(0, task: "encoding the prompt")) }
        }
        let network = try directory.load(prompts: prompts, precision: precision, engine: engine) { [report] in
            report(.progress($0, task: "loading the model"))
        }
        report(.detail(BLAS.kernels.description))
        if arithmetic.engine == .onednn {
            report(.detail("oneDNN \(OneDNN.version ?? "") multiplies in \(arithmetic.precision.rawValue)"))
        }
        loaded = network
        return network
    }

    /// Reserves memory for several images at a time.
    ///
    /// - Parameters:
    ///   - images: how many.
    ///   - bytes: the memory that all of them share.
    /// - Returns: how many there is room for, at least 1.
    /// - Throws: `MachineError` where there is no room for one.
    @discardableResult
    func makeRoom(images: Int, bytes: Int) throws -> Int {
        let purpose = "sampling from \(directory.name)"
        let each = directory.config.guidedRunBytes
        // One branch at the least.
        try SystemMemory.require(each / 2, for: purpose)
        let room = try BLAS.reserve(
            threads: max(images, workers.count), leaving: bytes, each: each, for: purpose)
        workers = Workers(count: min(workers.count, room))
        return min(images, room)
    }

    /// A decoder, loaded; it decodes with all threads, unless others are given.
    public func load(_ decoder: DecoderSource, workers given: Workers? = nil) throws -> any LatentDecoder {
        try decoder.load(workers: given ?? workers, engine: arithmetic.open()) { [report] in
            report(.progress($0, task: "loading the decoder"))
        }
    }
}

extension NetworkConfiguration {
    /// The memory that one image in flight takes besides the weights, in bytes: that of a guided run on one thread.
    public var guidedRunBytes: Int { runBytes(entries: 2, workers: Workers(count: 1)) }
}
