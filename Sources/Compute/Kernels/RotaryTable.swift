import Glibc

/// Rotary position embeddings (Su et al., arXiv 2104.09864): queries and keys are turned by angles that depend on their
/// token's position, so that their products depend on the distance.
///
/// Feature j is paired with feature j + K/2 of a head, as in transformers' `rotate_half`.
public struct RotaryTable: Sendable {
    /// T, the number of tokens.
    public let tokens: Int
    /// K, the width of a head, an even number.
    public let headDimension: Int

    private let cosines: Tensor  // (T, K/2)
    private let sines: Tensor  // (T, K/2)

    /// A table of angles.
    ///
    /// - Parameter angles: for each token the K/2 angles, those of features j and j + K/2.
    public init(angles: [[Float]]) {
        let half = angles.first?.count ?? 0
        precondition(angles.allSatisfy { $0.count == half }, "tokens with different numbers of angles")
        tokens = angles.count
        headDimension = 2 * half
        cosines = Tensor(angles.flatMap { $0.map { Float(cos(Double($0))) } }, shape: [tokens, half])
        sines = Tensor(angles.flatMap { $0.map { Float(sin(Double($0))) } }, shape: [tokens, half])
    }

    /// Turns one head of one token in place, on the calling thread.
    ///
    /// - Parameters:
    ///   - values: the head's K numbers.
    ///   - token: the token, a row of the table.
    public func rotate(_ values: UnsafeMutablePointer<Float>, token: Int) {
        let half = headDimension / 2
        let (cosine, sine) = (cosines.pointer + token * half, sines.pointer + token * half)
        let whole = half - half % Vector.scalarCount
        for index in stride(from: 0, to: whole, by: Vector.scalarCount) {
            let (first, second) = (Vector(at: values + index), Vector(at: values + half + index))
            let (c, s) = (Vector(at: cosine + index), Vector(at: sine + index))
            (first * c - second * s).store(to: values + index)
            (second * c + first * s).store(to: values + half + index)
        }
        for index in whole..<half {
            let (first, second) = (values[index], values[half + index])
            values[index] = first * cosine[index] - second * sine[index]
            values[half + index] = second * cosine[index] + first * sine[index]
        }
    }
}
