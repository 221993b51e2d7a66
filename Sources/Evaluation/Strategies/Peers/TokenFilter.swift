import Caching
import Compute
import Models
import Sampling

/// SeaCache's filter of the token grid: the Wiener gain that separates a clean image of spectrum |f|⁻² from the noise of
/// the call's level, H = a S/(a² S + b²), with a the signal's share and b the noise's.
///
/// Our reading: frequencies are those of the orthonormal cosine transform over the grid, in half cycles per side, and S is
/// scaled to a mean of 1 over the frequencies above 0, since clean images have about unit variance. At frequency 0 the
/// gain is its limit, 1/a. Frames are filtered one by one.
final class TokenFilter {
    private let frames: Int
    private let height: Int
    private let width: Int
    private let tokenWidth: Int
    private let columns: CosineBasis
    private let rows: CosineBasis
    private let gains: [[Float]]  // per call, (height, width)
    private let scratch: Tensor

    /// A filter for the tokens of the stack, the last two axes of whose grid are those of a picture.
    init(_ stack: Site, calls: [ModelCall]) {
        let grid = stack.shape.dropLast()
        let (height, width) = (grid.dropLast().last ?? 1, grid.last ?? 1)
        (self.height, self.width) = (height, width)
        frames = grid.dropLast(2).reduce(1, *)
        tokenWidth = stack.width
        rows = CosineBasis(height)
        columns = CosineBasis(width)
        let spectrum = (0..<height * width).map { position -> Double in
            let (i, j) = (position / width, position % width)
            return position == 0 ? .infinity : 1 / Double(i * i + j * j)
        }
        let mean = spectrum.dropFirst().reduce(0, +) / Double(max(1, height * width - 1))
        gains = calls.map { call in
            let (a, b) = (call.level.alpha, call.level.sigma)
            // a S/(a² S + b²) = a/(a² + b²/S), which holds at S = ∞ too.
            return spectrum.map { Float(a / (a * a + b * b * mean / $0)) }
        }
        scratch = Tensor([height, width, stack.width])
    }

    /// Filters a feature of the stack's shape in place.
    func apply(to tokens: Tensor, call: Int) {
        let gains = gains[call]
        for frame in 0..<frames {
            let start = tokens.pointer + frame * height * width * tokenWidth
            transform(start, by: rows.matrix, columns.matrix)
            for (token, gain) in gains.enumerated() {
                let row = start + token * tokenWidth
                for i in 0..<tokenWidth { row[i] *= gain }
            }
            transform(start, by: rows.transposed, columns.transposed)
        }
    }

    /// Multiplies the columns of the grid by one matrix, then its rows by the other.
    private func transform(_ tokens: UnsafeMutablePointer<Float>, by rows: Tensor, _ columns: Tensor) {
        let line = width * tokenWidth
        BLAS.multiply(
            m: height, n: line, k: height, rows.pointer, lda: height, tokens, ldb: line, into: scratch.pointer,
            ldc: line)
        for y in 0..<height {
            BLAS.multiply(
                m: width, n: tokenWidth, k: width, columns.pointer, lda: width, scratch.pointer + y * line,
                ldb: tokenWidth, into: tokens + y * line, ldc: tokenWidth)
        }
    }
}
