/// A tensor of an autoencoder in its file.
struct AutoencoderTensor {
    let name: String
    /// The shapes that it may have, all of the same elements in the same order.
    let shapes: [[Int]]

    /// Its elements.
    var count: Int { shapes[0].reduce(1, *) }
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

    var weight: AutoencoderTensor {
        let shape = [outputs, inputs, side, side]
        return AutoencoderTensor(name: name + ".weight", shapes: side == 1 ? [shape, [outputs, inputs]] : [shape])
    }

    var bias: AutoencoderTensor? {
        hasBias ? AutoencoderTensor(name: name + ".bias", shapes: [[outputs]]) : nil
    }

    var tensors: [AutoencoderTensor] { [weight] + (bias.map { [$0] } ?? []) }
}

/// A group norm.
struct NormSource: AutoencoderSource {
    let name: String
    let channels: Int

    var scale: AutoencoderTensor { AutoencoderTensor(name: name + ".weight", shapes: [[channels]]) }
    var shift: AutoencoderTensor { AutoencoderTensor(name: name + ".bias", shapes: [[channels]]) }

    var tensors: [AutoencoderTensor] { [scale, shift] }
}
