import Compute
import Glibc

/// What is added to the score of a query and a key for the distance between them, for each head.
///
/// Near distances have a number each, farther ones share it in ranges that grow with the logarithm of the distance
/// (Raffel et al., arXiv 1910.10683, section 2.1).
struct RelativePositionBias {
    /// Row h: the numbers of head h for the distances -(T - 1), …, T - 1.
    private let table: Tensor
    private let tokens: Int

    /// The biases of `tokens` tokens, from the stored numbers (buckets, heads).
    init(_ stored: Tensor, tokens: Int, config: T5Config) {
        self.tokens = tokens
        let (distances, heads) = (2 * tokens - 1, config.heads)
        table = Tensor([heads, distances])
        for index in 0..<distances {
            let bucket = Self.bucket(of: index - tokens + 1, buckets: config.buckets, farthest: config.farthest)
            for head in 0..<heads { table.values[head * distances + index] = stored.values[bucket * heads + head] }
        }
    }

    /// The numbers of head `head`: a row for each query, with a number for each key.
    func rows(head: Int) -> Attention.Rows {
        // One query further on, every key is one nearer: all rows lie in one, each a number before the last.
        Attention.Rows(table.pointer + head * (2 * tokens - 1) + tokens - 1, distance: -1)
    }

    /// The bucket of a distance, the key's position minus the query's.
    ///
    /// The logarithm is computed in single precision, in the reference's order: at the edges of the ranges a last digit
    /// decides.
    ///
    /// Source: `_relative_position_bucket` of transformers' modeling_t5.py.
    static func bucket(of distance: Int, buckets: Int, farthest: Int) -> Int {
        let half = buckets / 2
        let exact = half / 2
        let (direction, size) = (distance > 0 ? half : 0, abs(distance))
        guard size >= exact else { return direction + size }
        let ratio = logf(Float(size) / Float(exact)) / Float(log(Double(farthest) / Double(exact)))
        return direction + min(half - 1, exact + Int(ratio * Float(half - exact)))
    }
}
