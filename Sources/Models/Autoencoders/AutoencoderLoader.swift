import Tensor

/// Loads the parts of an autoencoder once all of its tensors have been found to be there, and counts them.
///
/// Filters are stored in another order than they are used in. They pass through one piece of memory, so that loading
/// leaves no holes behind.
struct AutoencoderLoader {
    private let archive: WeightArchive
    private let total: Int
    private let progress: ((Double) -> Void)?
    private let passage: Tensor
    private var done = 0
    /// The memory of the parameters loaded so far.
    private(set) var bytes = 0

    /// Checks the names and shapes of all `sources`; `sizes` tells the values of `config.json` that decide the shapes.
    init(
        archive: WeightArchive, sources: [any AutoencoderSource], sizes: String, progress: ((Double) -> Void)?
    ) throws(ModelError) {
        let tensors = sources.flatMap(\.tensors)
        let missing = tensors.map(\.name).filter { archive.entry($0) == nil }
        if let first = missing.first, let example = WrappedNames.first(standingFor: first, in: archive.names) {
            throw .wrappedNames(directory: archive.directory, example: example)
        }
        guard missing.isEmpty else {
            throw .missingTensors(directory: archive.directory, names: Array(missing.prefix(3)), count: missing.count)
        }
        let used = Set(tensors.map(\.name))
        let foreign = archive.names.filter {
            $0.hasPrefix("decoder.") && !used.contains($0) && archive.entry($0)?.elementType?.isLoadable == true
        }
        guard foreign.isEmpty else {
            throw .foreignTensors(
                directory: archive.directory, network: "the decoder that config.json describes",
                names: Array(foreign.prefix(3)), count: foreign.count)
        }
        for tensor in tensors {
            guard let found = archive.entry(tensor.name)?.shape, !tensor.shapes.contains(found) else { continue }
            throw .shapeContradictsConfig(
                path: archive.path(of: tensor.name), tensor: tensor.name, expected: tensor.shapes[0], found: found,
                config: sizes)
        }
        self.archive = archive
        self.progress = progress
        total = tensors.count
        passage = Tensor(uninitialized: [tensors.map(\.count).max() ?? 0])
    }

    mutating func convolution(_ source: ConvolutionSource) throws(SafetensorsError) -> Convolution {
        let bias = try bias(source)
        return Convolution(
            weight: try pass(source.weight), outputs: source.outputs, inputs: source.inputs, bias: bias)
    }

    mutating func pointwise(_ source: ConvolutionSource) throws(SafetensorsError) -> PointwiseConvolution {
        let bias = try bias(source)
        return PointwiseConvolution(
            weight: try pass(source.weight), outputs: source.outputs, inputs: source.inputs, bias: bias)
    }

    mutating func norm(_ source: NormSource, groups: Int) throws(SafetensorsError) -> GroupNorm {
        GroupNorm(
            groups: groups, epsilon: AutoencoderKLConfig.normEpsilon, scale: try vector(source.scale),
            shift: try vector(source.shift))
    }

    private mutating func bias(_ source: ConvolutionSource) throws(SafetensorsError) -> Tensor? {
        guard let bias = source.bias else { return nil }
        return try vector(bias)
    }

    private mutating func vector(_ source: AutoencoderTensor) throws(SafetensorsError) -> Tensor {
        let values = Tensor([source.count])
        try archive.read(source.name, into: values.values)
        count(source)
        return values
    }

    /// The tensor in the passage, which holds it until the next comes.
    private mutating func pass(_ source: AutoencoderTensor) throws(SafetensorsError) -> UnsafePointer<Float> {
        try archive.read(source.name, into: UnsafeMutableBufferPointer(rebasing: passage.values[..<source.count]))
        count(source)
        return UnsafePointer(passage.pointer)
    }

    private mutating func count(_ source: AutoencoderTensor) {
        bytes += source.count * MemoryLayout<Float>.size
        done += 1
        progress?(Double(done) / Double(total))
    }
}
