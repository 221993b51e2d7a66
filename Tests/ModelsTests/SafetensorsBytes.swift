import Tensor

@testable import Models

/// The bytes of a file with the given header text and data, whether or not they make sense.
func safetensors(_ header: String, data: [UInt8] = [], declaredLength: UInt64? = nil) -> [UInt8] {
    let text = Array(header.utf8)
    let length = declaredLength ?? UInt64(text.count)
    return withUnsafeBytes(of: length.littleEndian) { Array($0) } + text + data
}

/// The header that is read from a file of these bytes.
func header(of bytes: [UInt8]) throws(SafetensorsError) -> SafetensorsHeader {
    let result = bytes.withUnsafeBytes { buffer in
        Result { () throws(SafetensorsError) in try SafetensorsHeader(fileBytes: buffer, path: "file") }
    }
    return try result.get()
}

/// Little-endian bytes of a list of numbers.
func littleEndian(_ numbers: [some FixedWidthInteger]) -> [UInt8] {
    numbers.flatMap { number in withUnsafeBytes(of: number.littleEndian) { Array($0) } }
}

/// A stream of numbers that is the same in every run (Steele et al., SplitMix64).
struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

extension Tensor {
    /// A copy of the values; unlike `values` it outlives a tensor that nobody else holds.
    var elements: [Float] { withExtendedLifetime(self) { Array(values) } }
}
