import Media
import Reports

/// A few pairs' pictures under every strategy, chosen by their place in the list and not by their looks.
public struct ComparisonGallery: Sendable {
    /// The most pairs that are shown.
    private static let mostPairs = 4

    /// The pairs that are shown, evenly spread over all.
    public let pairs: [Int]

    private var uncached: [Int: Clip] = [:]
    private var pictures: [Int: [Int: Clip]] = [:]

    /// An empty gallery of `pairs` pairs.
    public init(pairs: Int) {
        let count = min(pairs, Self.mostPairs)
        self.pairs = (0..<count).map { $0 * pairs / count }
    }

    /// Adds a picture, if its pair is shown.
    ///
    /// - Parameters:
    ///   - picture: the picture or the clip.
    ///   - pair: its pair.
    ///   - row: the report's row that it belongs to; nil for the uncached picture.
    public mutating func add(_ picture: Clip, of pair: Int, row: Int?) {
        guard pairs.contains(pair) else { return }
        if let row { pictures[row, default: [:]][pair] = picture } else { uncached[pair] = picture }
    }

    /// The picture of a pair under the strategy of a row; the uncached one for nil.
    public func picture(of pair: Int, row: Int?) -> Clip? {
        row.map { pictures[$0]?[pair] } ?? uncached[pair]
    }

    /// The shown pairs side by side: a row for the pictures compared with, and one for each of `rows`, with PSNRs.
    ///
    /// `columns` and the PSNRs of a row have one element for each pair, shown or not.
    func table(
        caption: String, columns: [String], reference: String, rows: [(index: Int, title: String, psnr: [Double?])]
    ) -> ImageTable {
        ImageTable(
            caption: caption, columns: pairs.map { columns[$0] },
            rows: [
                ImageTable.Row(title: reference, entries: pairs.map { ImageTable.Entry(picture(of: $0, row: nil)) })
            ]
                + rows.map { row in
                    ImageTable.Row(
                        title: row.title,
                        entries: pairs.map { pair in
                            ImageTable.Entry(
                                picture(of: pair, row: row.index),
                                caption: row.psnr[pair].map { "\(($0 * 10).rounded() / 10) dB" } ?? "∞")
                        })
                }, shownWidth: 96)
    }
}
