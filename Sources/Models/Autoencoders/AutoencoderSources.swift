import Tensor

/// A tensor of an autoencoder in its file.
struct AutoencoderTensor {
    let name: String
    /// The shapes that it may have, all of the same elements in the same order.
    let shapes: [[Int]]
}

/// Where a convolution, a norm, or a block of them comes from.
protocol AutoencoderSource {
    /// Its tensors, in the order of the forward.
    var tensors: [AutoencoderTensor] { get }
}

/// A convolution with square filters of 1 or 3 taps along a side, or a linear layer in the place of the former.
struct ConvolutionSource: AutoencoderSource {
    let name: String
    let outputs, inputs, side: Int
    var hasBias = true

    var tensors: [AutoencoderTensor] {
        let shape = [outputs, inputs, side, side]
        let weight = AutoencoderTensor(
            name: name + ".weight", shapes: side == 1 ? [shape, [outputs, inputs]] : [shape])
        return hasBias ? [weight, AutoencoderTensor(name: name + ".bias", shapes: [[outputs]])] : [weight]
    }
}

/// A group norm.
struct NormSource: AutoencoderSource {
    let name: String
    let channels: Int

    var tensors: [AutoencoderTensor] {
        ["weight", "bias"].map { AutoencoderTensor(name: "\(name).\($0)", shapes: [[channels]]) }
    }
}

/// Loads the parts of an autoencoder once all of its tensors have been found to be there, and counts them.
struct AutoencoderLoader {
    private let archive: WeightArchive
    private let total: Int
    private let progress: ((Double) -> Void)?
    private var done = 0
    /// The memory of the parameters loaded so far.
    private(set) var bytes = 0

    /// Checks the names and shapes of all `sources`; `sizes` tells the values of `config.json` that decide the shapes.
    init(
        archive: WeightArchive, sources: [any AutoencoderSource], sizes: String, progress: ((Double) -> Void)?
    ) throws(ModelError) {
        let tensors = sources.flatMap(\.tensors)
        let missing = tensors.map(\.name).filter { archive.entry($0) == nil }
        guard missing.isEmpty else {
            throw .missingTensors(directory: archive.directory, names: Array(missing.prefix(3)), count: missing.count)
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
    }

    mutating func convolution(_ source: ConvolutionSource) throws(SafetensorsError) -> Convolution {
        let tensors = try load(source)
        return Convolution(weight: tensors[0], bias: tensors.count > 1 ? tensors[1] : nil)
    }

    mutating func pointwise(_ source: ConvolutionSource) throws(SafetensorsError) -> PointwiseConvolution {
        let tensors = try load(source)
        return PointwiseConvolution(weight: tensors[0], bias: tensors.count > 1 ? tensors[1] : nil)
    }

    mutating func norm(_ source: NormSource, groups: Int) throws(SafetensorsError) -> GroupNorm {
        let tensors = try load(source)
        return GroupNorm(
            groups: groups, epsilon: AutoencoderKLConfig.normEpsilon, scale: tensors[0], shift: tensors[1])
    }

    private mutating func load(_ source: some AutoencoderSource) throws(SafetensorsError) -> [Tensor] {
        var loaded: [Tensor] = []
        for tensor in source.tensors {
            let stored = archive.entry(tensor.name)?.shape ?? tensor.shapes[0]
            let values = try archive.tensor(
                joining: [tensor.name], storedShape: stored, shape: tensor.shapes[0])
            loaded.append(values)
            bytes += values.count * MemoryLayout<Float>.size
            done += 1
            progress?(Double(done) / Double(total))
        }
        return loaded
    }
}
