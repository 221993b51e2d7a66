/// The reversible predictions that make rows of pixels easier to compress (PNG, chapter 9).
enum PNGFilter: UInt8, CaseIterable {
    case none, sub, up, average, paeth

    /// Writes `row` minus its prediction to `target`.
    ///
    /// `previous` is the row above, zeros for the first row; `step` is the number of bytes per pixel.
    func apply(
        _ row: UnsafeBufferPointer<UInt8>, previous: UnsafeBufferPointer<UInt8>, step: Int,
        into target: UnsafeMutableBufferPointer<UInt8>
    ) {
        let lead = min(step, row.count)
        switch self {
        case .none:
            for i in 0..<row.count { target[i] = row[i] }
        case .sub:
            for i in 0..<lead { target[i] = row[i] }
            for i in lead..<row.count { target[i] = row[i] &- row[i - step] }
        case .up:
            for i in 0..<row.count { target[i] = row[i] &- previous[i] }
        case .average:
            for i in 0..<lead { target[i] = row[i] &- previous[i] / 2 }
            for i in lead..<row.count { target[i] = row[i] &- Self.mean(row[i - step], previous[i]) }
        case .paeth:
            for i in 0..<lead { target[i] = row[i] &- previous[i] }
            for i in lead..<row.count {
                target[i] = row[i] &- Self.paeth(left: row[i - step], up: previous[i], upLeft: previous[i - step])
            }
        }
    }

    /// Adds the prediction back, in place.
    func undo(_ row: UnsafeMutableBufferPointer<UInt8>, previous: UnsafeBufferPointer<UInt8>, step: Int) {
        let lead = min(step, row.count)
        switch self {
        case .none:
            break
        case .sub:
            for i in lead..<row.count { row[i] &+= row[i - step] }
        case .up:
            for i in 0..<row.count { row[i] &+= previous[i] }
        case .average:
            for i in 0..<lead { row[i] &+= previous[i] / 2 }
            for i in lead..<row.count { row[i] &+= Self.mean(row[i - step], previous[i]) }
        case .paeth:
            for i in 0..<lead { row[i] &+= previous[i] }
            for i in lead..<row.count {
                row[i] &+= Self.paeth(left: row[i - step], up: previous[i], upLeft: previous[i - step])
            }
        }
    }

    private static func mean(_ a: UInt8, _ b: UInt8) -> UInt8 {
        UInt8(truncatingIfNeeded: (Int(a) &+ Int(b)) >> 1)
    }

    /// Of three neighbours, the one nearest to left + up − upLeft; ties go to left, then up (PNG, 9.4).
    private static func paeth(left: UInt8, up: UInt8, upLeft: UInt8) -> UInt8 {
        let a = Int16(left)
        let b = Int16(up)
        let c = Int16(upLeft)
        let fromLeft = abs(b &- c)
        let fromUp = abs(a &- c)
        let fromUpLeft = abs(a &+ b &- c &- c)
        if fromLeft <= fromUp && fromLeft <= fromUpLeft { return left }
        return fromUp <= fromUpLeft ? up : upLeft
    }
}
