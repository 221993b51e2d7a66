import Compute

/// Where the values of a ``Declared`` part's parameters come from: a checkpoint, or random numbers.
protocol ParameterSource: AnyObject {
    /// What prepares the weights.
    var engine: any Engine { get }

    /// Whether it has an optional parameter.
    func has(_ parameter: Parameter) -> Bool

    /// The values in memory of their own.
    func tensor(_ parameter: Parameter) throws -> Tensor

    /// The values (out, in) of a matrix, which may stay where they are stored.
    func matrix(_ parameter: Parameter) throws -> WeightMatrix

    /// Lends the values to `body`; they are valid until it returns.
    func withValues<Result>(of parameter: Parameter, _ body: (UnsafePointer<Float>) -> Result) throws -> Result
}

/// Random values: finite, none zero, the same for the same seed.
///
/// Time and memory of a forward do not depend on its weights, so this is what a benchmark needs where there is no
/// checkpoint.
final class RandomParameters: ParameterSource {
    let engine: any Engine
    private var numbers: ArbitraryNumbers

    init(seed: UInt64, engine: any Engine) {
        numbers = ArbitraryNumbers(seed: seed)
        self.engine = engine
    }

    func has(_ parameter: Parameter) -> Bool { false }

    func tensor(_ parameter: Parameter) -> Tensor { numbers.tensor(parameter.shape, width: parameter.spread) }

    func matrix(_ parameter: Parameter) -> WeightMatrix { WeightMatrix(tensor(parameter)) }

    func withValues<Result>(of parameter: Parameter, _ body: (UnsafePointer<Float>) -> Result) -> Result {
        let values = tensor(parameter)
        return withExtendedLifetime(values) { body(values.pointer) }
    }
}

/// The values that a checkpoint holds, widened to `Float` where they are not used in place.
final class StoredParameters: ParameterSource {
    let engine: any Engine
    private let archive: WeightArchive
    private let keys: KeyTable
    private let precision: WeightPrecision
    private let isChecked: Bool
    private let progress: ((Double) -> Void)?
    private let total: Int
    private var done = 0
    /// Holds lent values, one parameter after another, so that loading does not fragment the memory.
    private var passage = Tensor([0])

    /// Reads from an archive in which all of `parameters` have been found, under the names of `keys`.
    ///
    /// Unless they are checked, numbers that are used in place may be NaN or infinite.
    init(
        _ archive: WeightArchive, keys: KeyTable = KeyTable([:]), precision: WeightPrecision, isChecked: Bool = true,
        engine: any Engine, parameters: [Parameter], progress: ((Double) -> Void)? = nil
    ) {
        self.engine = engine
        self.archive = archive
        self.keys = keys
        self.precision = precision
        self.isChecked = isChecked
        self.progress = progress
        total = parameters.reduce(0) { $0 + $1.count }
    }

    func has(_ parameter: Parameter) -> Bool { keys.isStored(parameter, in: archive) }

    func tensor(_ parameter: Parameter) throws(SafetensorsError) -> Tensor {
        let names = keys.names(of: parameter.key)
        let tensor = try archive.tensor(
            joining: names, storedShape: storedShape(parameter, names), shape: parameter.shape)
        count(parameter)
        return tensor
    }

    func matrix(_ parameter: Parameter) throws(SafetensorsError) -> WeightMatrix {
        let names = keys.names(of: parameter.key)
        let matrix = try archive.matrix(
            joining: names, storedShape: storedShape(parameter, names), shape: parameter.shape, precision: precision,
            isChecked: isChecked)
        count(parameter)
        return matrix
    }

    func withValues<Result>(of parameter: Parameter, _ body: (UnsafePointer<Float>) -> Result) throws -> Result {
        if passage.count < parameter.count { passage = Tensor(uninitialized: [parameter.count]) }
        try archive.read(
            keys.names(of: parameter.key)[0],
            into: UnsafeMutableBufferPointer(rebasing: passage.values[..<parameter.count]))
        count(parameter)
        return body(passage.pointer)
    }

    /// The shape that each of the tensors of a parameter has in the file.
    private func storedShape(_ parameter: Parameter, _ names: [String]) -> [Int] {
        names.first.flatMap { archive.entry($0)?.shape } ?? parameter.storedShapes[0]
    }

    private func count(_ parameter: Parameter) {
        done += parameter.count
        progress?(Double(done) / Double(max(1, total)))
    }
}

extension Declared {
    /// The part from a checkpoint; names and shapes are all checked before the first tensor is read.
    ///
    /// Messages name the part by `network` and the values of `config.json` that decide its shapes by `sizes`. `isPart`
    /// tells whether a tensor of a name that is not read would belong to the part, too.
    ///
    /// - Throws: ``ModelError`` when tensors are missing or of other shapes, ``SafetensorsError`` when one is of a type
    ///   that cannot be loaded or holds a value that is not finite, `MachineError` when there is too little memory.
    func load(
        from archive: WeightArchive, keys: KeyTable = KeyTable([:]), precision: WeightPrecision = .float32,
        engine: any Engine = OpenBLASEngine(), sizes: String,
        of network: String = "the network that config.json describes", isPart: (String) -> Bool = { _ in false },
        progress: ((Double) -> Void)? = nil
    ) throws -> Part {
        try archive.checkNames(of: parameters, keys: keys, network: network, isPart: isPart)
        try archive.checkShapes(of: parameters, keys: keys, sizes: sizes)
        try SystemMemory.require(
            archive.widenedBytes(parameters, keys: keys, precision: precision),
            for: "widening the weights in \(archive.directory) to 32 bits")
        let stored = parameters.filter { !$0.isOptional || keys.isStored($0, in: archive) }
        return try made(
            from: StoredParameters(
                archive, keys: keys, precision: precision, engine: engine, parameters: stored, progress: progress))
    }

    /// The part with random values, the same for the same seed.
    func random(seed: UInt64, engine: any Engine = OpenBLASEngine()) throws -> Part {
        try made(from: RandomParameters(seed: seed, engine: engine))
    }
}
