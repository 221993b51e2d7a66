/// Numbers in (-1, 1), none of them zero and the same for the same seed, where nothing depends on what they are: for
/// benchmarks, and for weights where there is no checkpoint.
package struct ArbitraryNumbers {
    private var state: UInt64

    /// Starts the numbers that belong to `seed`.
    package init(seed: UInt64) {
        state = seed
    }

    /// A tensor of the next numbers, times `width`.
    package mutating func tensor(_ shape: [Int], width: Float = 1) -> Tensor {
        let tensor = Tensor(uninitialized: shape)
        for index in tensor.values.indices {
            // Knuth's MMIX generator; the odd half step keeps zero out.
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            tensor.values[index] = ((Float(state >> 41) + 0.5) / 4_194_304 - 1) * width
        }
        return tensor
    }

    /// A tensor of the first numbers that belong to `seed`.
    package static func tensor(_ shape: [Int], seed: UInt64) -> Tensor {
        var numbers = ArbitraryNumbers(seed: seed)
        return numbers.tensor(shape)
    }
}
