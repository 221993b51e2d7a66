import Tensor

/// Reproducible numbers to benchmark with.
enum RandomNumbers {
    /// `shape` filled with numbers in (-1, 1), none of them zero.
    static func tensor(_ shape: [Int], seed: UInt64) -> Tensor {
        let tensor = Tensor(shape)
        var state = seed
        for index in tensor.values.indices {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            tensor.values[index] = (Float(state >> 41) + 0.5) / 4_194_304 - 1
        }
        return tensor
    }
}
