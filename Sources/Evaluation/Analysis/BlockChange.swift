/// How far an output of the network has moved since the model call before.
struct BlockChange: Equatable {
    /// mean|a − b| / mean|b|, with b the output at the call before.
    let relativeL1: Double
    /// |a − b| / |b|.
    let relativeL2: Double
    /// ⟨a, b⟩ / (|a| |b|); nil where a is zero.
    let cosine: Double?

    /// Compares `output` (less `input`, if there is one) with `last`, and leaves it there.
    ///
    /// - Returns: The change; nil if the output before was zero.
    init?(
        _ output: UnsafeBufferPointer<Float>, less input: UnsafeBufferPointer<Float>?,
        replacing last: UnsafeMutableBufferPointer<Float>
    ) {
        precondition(output.count == last.count, "outputs of \(last.count) and of \(output.count) numbers")
        var (change, size) = (0.0, 0.0)
        var (changeSquared, product, nowSquared, beforeSquared) = (0.0, 0.0, 0.0, 0.0)
        for i in 0..<last.count {
            let now = input.map { output[i] - $0[i] } ?? output[i]
            let (a, b) = (Double(now), Double(last[i]))
            last[i] = now
            change += abs(a - b)
            size += abs(b)
            changeSquared += (a - b) * (a - b)
            product += a * b
            nowSquared += a * a
            beforeSquared += b * b
        }
        guard beforeSquared > 0 else { return nil }
        relativeL1 = change / size
        relativeL2 = (changeSquared / beforeSquared).squareRoot()
        cosine = nowSquared > 0 ? product / (nowSquared * beforeSquared).squareRoot() : nil
    }
}
