import Compute

/// Where the values of a ``Declared`` part's parameters come from: a checkpoint, or random numbers.
protocol ParameterSource: AnyObject {
    /// Whether it has an optional parameter.
    func has(_ parameter: Parameter) -> Bool

    /// The values in memory of their own.
    func tensor(_ parameter: Parameter) throws -> Tensor

    /// The values (out, in) of a matrix, which may stay where they are stored.
    func matrix(_ parameter: Parameter) throws -> WeightMatrix

    /// Lends the values to `body`, after which they are gone.
    func withValues<Result>(of parameter: Parameter, _ body: (UnsafePointer<Float>) -> Result) throws -> Result
}

/// Values that mean nothing: finite, none zero, the same for the same seed.
///
/// Time and memory of a forward do not depend on its weights, so this is what a benchmark needs where there is no
/// checkpoint.
final class RandomParameters: ParameterSource {
    private var numbers: ArbitraryNumbers

    init(seed: UInt64) {
        numbers = ArbitraryNumbers(seed: seed)
    }

    func has(_ parameter: Parameter) -> Bool { false }

    func tensor(_ parameter: Parameter) -> Tensor { numbers.tensor(parameter.shape, width: parameter.spread) }

    func matrix(_ parameter: Parameter) -> WeightMatrix { WeightMatrix(tensor(parameter)) }

    func withValues<Result>(of parameter: Parameter, _ body: (UnsafePointer<Float>) -> Result) -> Result {
        let values = tensor(parameter)
        return withExtendedLifetime(values) { body(values.pointer) }
    }
}

/// The values that a checkpoint holds, widened to `Float` where they are not used as they lie in the file.
final class StoredParameters: ParameterSource {
    private let archive: WeightArchive
    private let keys: KeyTable
    private let precision: WeightPrecision
    private let progress: ((Double) -> Void)?
    private let total: Int
    private var done = 0
    /// Where lent values pass through, one after another, so that loading leaves no holes behind.
    private var passage = Tensor([0])

    /// Joins an archive, in which all of `parameters` have been found, with the names that it has for them.
    ///
    /// `progress` is called with the share of the elements that have been read.
    init(
        _ archive: WeightArchive, keys: KeyTable, precision: WeightPrecision, parameters: [Parameter],
        progress: ((Double) -> Void)?
    ) {
        self.archive = archive
        self.keys = keys
        self.precision = precision
        self.progress = progress
        total = parameters.reduce(0) { $0 + $1.count }
    }

    func has(_ parameter: Parameter) -> Bool { keys.names(of: parameter.key).allSatisfy { archive.entry($0) != nil } }

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
            joining: names, storedShape: storedShape(parameter, names), shape: parameter.shape, precision: precision)
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
    /// - Parameters:
    ///   - archive: the weights of a model directory.
    ///   - keys: what the checkpoint calls the parameters.
    ///   - precision: how wide the numbers of matrices are in memory.
    ///   - sizes: the values of `config.json` that decide the shapes, for messages.
    ///   - network: what the part is, for messages.
    ///   - isPart: whether a tensor of this name that is not read would be a part of it too.
    ///   - progress: called with the share that has been loaded, rising to 1.
    /// - Returns: the part.
    /// - Throws: ``ModelError`` when tensors are missing or of other shapes, ``SafetensorsError`` when one is of a type
    ///   that cannot be loaded or holds a value that is not finite, `MachineError` when there is too little memory.
    func load(
        from archive: WeightArchive, keys: KeyTable = KeyTable([:]), precision: WeightPrecision = .float32,
        sizes: String, of network: String = "the network that config.json describes",
        isPart: (String) -> Bool = { _ in false }, progress: ((Double) -> Void)? = nil
    ) throws -> Part {
        try archive.checkNames(of: parameters, keys: keys, network: network, isPart: isPart)
        try archive.checkShapes(of: parameters, keys: keys, sizes: sizes)
        try SystemMemory.require(
            archive.widenedBytes(parameters, keys: keys, precision: precision),
            for: "widening the weights in \(archive.directory) to 32 bits")
        let stored = parameters.filter { !$0.isOptional || keys.isStored($0, in: archive) }
        return try made(
            from: StoredParameters(
                archive, keys: keys, precision: precision, parameters: stored, progress: progress))
    }

    /// The part with random values, the same for the same seed.
    func random(seed: UInt64) throws -> Part { try made(from: RandomParameters(seed: seed)) }
}
