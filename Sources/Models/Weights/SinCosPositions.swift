import Compute
import Glibc

/// The fixed two-dimensional sine-cosine position table of DiT.
///
/// Source: https://github.com/facebookresearch/DiT, models.py, get_2d_sincos_pos_embed; diffusers' PatchEmbed computes
/// the same table.
enum SinCosPositions {
    /// The table of shape (gridSize², width) for tokens in row-major order; `width` is a multiple of 4.
    ///
    /// With frequencies w_k = 10000^(-k / (width/4)), a token at column x and row y has
    /// [sin(x w), cos(x w), sin(y w), cos(y w)].
    static func table(gridSize: Int, width: Int) -> Tensor {
        precondition(width.isMultiple(of: 4), "width \(width) is not a multiple of 4")
        let quarter = width / 4
        let frequencies = (0..<quarter).map { 1 / pow(10000, Double($0) / Double(quarter)) }
        let table = Tensor([gridSize * gridSize, width])
        for row in 0..<gridSize {
            for column in 0..<gridSize {
                let token = table.pointer + (row * gridSize + column) * width
                for (k, frequency) in frequencies.enumerated() {
                    token[k] = Float(sin(Double(column) * frequency))
                    token[quarter + k] = Float(cos(Double(column) * frequency))
                    token[2 * quarter + k] = Float(sin(Double(row) * frequency))
                    token[3 * quarter + k] = Float(cos(Double(row) * frequency))
                }
            }
        }
        return table
    }
}
