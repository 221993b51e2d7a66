import Compute
import Glibc

/// The fixed two-dimensional sine-cosine position table of DiT and its relatives.
///
/// Source: https://github.com/facebookresearch/DiT, models.py, get_2d_sincos_pos_embed; diffusers' PatchEmbed computes
/// the same table.
enum SinCosPositions {
    /// The table of shape (gridSize², width) for the tokens of a square at whole positions.
    static func table(gridSize: Int, width: Int) -> Tensor {
        let positions = (0..<gridSize).map { Float($0) }
        return table(rows: positions, columns: positions, width: width)
    }

    /// The table of shape (rows · columns, width) for tokens in row-major order; `width` is a multiple of 4.
    ///
    /// With frequencies w_k = 10000^(-k / (width/4)), a token at column x and row y has
    /// [sin(x w), cos(x w), sin(y w), cos(y w)].
    ///
    /// - Parameters:
    ///   - rows: the position y of each row.
    ///   - columns: the position x of each column.
    ///   - width: the width D of a token.
    /// - Returns: the table.
    static func table(rows: [Float], columns: [Float], width: Int) -> Tensor {
        precondition(width.isMultiple(of: 4), "width \(width) is not a multiple of 4")
        let quarter = width / 4
        let frequencies = (0..<quarter).map { 1 / pow(10000, Double($0) / Double(quarter)) }
        let table = Tensor([rows.count * columns.count, width])
        for (row, y) in rows.enumerated() {
            for (column, x) in columns.enumerated() {
                let token = table.pointer + (row * columns.count + column) * width
                for (k, frequency) in frequencies.enumerated() {
                    token[k] = Float(sin(Double(x) * frequency))
                    token[quarter + k] = Float(cos(Double(x) * frequency))
                    token[2 * quarter + k] = Float(sin(Double(y) * frequency))
                    token[3 * quarter + k] = Float(cos(Double(y) * frequency))
                }
            }
        }
        return table
    }
}
