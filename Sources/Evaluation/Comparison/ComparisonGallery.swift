import Media

/// A few pairs' pictures under every strategy, chosen by their place in the list and not by their looks.
public struct ComparisonGallery: Sendable {
    /// The most pairs that are shown.
    private static let mostPairs = 4

    /// The pairs that are shown, evenly spread over all.
    public let pairs: [Int]

    private var uncached: [Int: Image] = [:]
    private var pictures: [Int: [Int: Image]] = [:]

    /// An empty gallery of `pairs` pairs.
    public init(pairs: Int) {
        let count = min(pairs, Self.mostPairs)
        self.pairs = (0..<count).map { $0 * pairs / count }
    }

    /// Hangs a picture, if its pair is shown.
    ///
    /// - Parameters:
    ///   - picture: the picture.
    ///   - pair: its pair.
    ///   - row: the report's row that it belongs to; nil for the uncached picture.
    public mutating func add(_ picture: Image, of pair: Int, row: Int?) {
        guard pairs.contains(pair) else { return }
        if let row { pictures[row, default: [:]][pair] = picture } else { uncached[pair] = picture }
    }

    /// The picture of a pair under the strategy of a row; the uncached one for nil.
    public func picture(of pair: Int, row: Int?) -> Image? {
        row.map { pictures[$0]?[pair] } ?? uncached[pair]
    }
}
