/// Full calls at even distances, for rules with a fixed period: any number of them, so distances may differ by one.
public enum SpacedCalls {
    /// Which of `calls` calls are full when `full` of them are: the first `warmUp`, and from there on evenly to the last.
    ///
    /// A published period leaves to chance whether the last call is full. Here it is, since the last output is all or most
    /// of the image.
    public static func full(calls: Int, full: Int, warmUp: Int = 1) -> [Bool] {
        precondition((1...max(1, calls)).contains(full), "\(full) full calls of \(calls)")
        let start = min(max(1, warmUp), full) - 1
        let gaps = full - start - 1
        var mask = (0..<calls).map { $0 <= start }
        for gap in stride(from: 1, through: gaps, by: 1) { mask[start + gap * (calls - 1 - start) / gaps] = true }
        return mask
    }
}
