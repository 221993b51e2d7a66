import Glibc
import Models
import Sampling
import Tensor

/// SeaCache's filter of the token grid: the Wiener gain that separates a clean image of spectrum |f|⁻² from the noise of
/// the call's level, H = a S/(a² S + b²), with a the signal's share and b the noise's.
///
/// Our reading: frequencies are those of the orthonormal cosine transform over the grid, in half cycles per side, and S is
/// scaled to a mean of 1 over the frequencies above 0, since clean images have about unit variance. At frequency 0 the
/// gain is its limit, 1/a.
final class TokenFilter {
    private let side: Int
    private let width: Int
    private let basis: Tensor  // (side, side), row k is the k-th cosine
    private let transposed: Tensor
    private let gains: [[Float]]  // per call, (side, side)
    private let scratch: Tensor

    init(_ config: DiTConfig, calls: [ModelCall]) {
        side = config.gridSize
        width = config.hiddenSize
        let side = side
        basis = Tensor([side, side])
        transposed = Tensor([side, side])
        for k in 0..<side {
            let scale = ((k == 0 ? 1 : 2) / Double(side)).squareRoot()
            for i in 0..<side {
                let value = Float(scale * cos(Double.pi * (Double(i) + 0.5) * Double(k) / Double(side)))
                basis.values[k * side + i] = value
                transposed.values[i * side + k] = value
            }
        }
        let spectrum = (0..<side * side).map { position -> Double in
            let (i, j) = (position / side, position % side)
            return position == 0 ? .infinity : 1 / Double(i * i + j * j)
        }
        let mean = spectrum.dropFirst().reduce(0, +) / Double(max(1, side * side - 1))
        gains = calls.map { call in
            let (a, b) = (call.level.signal, call.level.noise)
            // a S/(a² S + b²) = a/(a² + b²/S), which holds at S = ∞ too.
            return spectrum.map { Float(a / (a * a + b * b * mean / $0)) }
        }
        scratch = Tensor([config.tokens, config.hiddenSize])
    }

    /// Filters a feature (T, D) in place.
    func apply(to tokens: Tensor, call: Int) {
        transform(tokens, by: basis)
        let gains = gains[call]
        for (token, gain) in gains.enumerated() {
            let row = tokens.pointer + token * width
            for i in 0..<width { row[i] *= gain }
        }
        transform(tokens, by: transposed)
    }

    /// Multiplies columns, then rows of the grid by `matrix`.
    private func transform(_ tokens: Tensor, by matrix: Tensor) {
        let row = side * width
        BLAS.multiply(
            m: side, n: row, k: side, matrix.pointer, lda: side, tokens.pointer, ldb: row, into: scratch.pointer,
            ldc: row)
        for y in 0..<side {
            BLAS.multiply(
                m: side, n: width, k: side, matrix.pointer, lda: side, scratch.pointer + y * row, ldb: width,
                into: tokens.pointer + y * row, ldc: width)
        }
    }
}
