/// How OpenBLAS' products are cut. Whatever the number of blocks and threads, an element has the same bits:
///
/// - Where OpenBLAS computes an element alike in every product that it is part of (``BLAS/hasWideKernels``), all blocks
///   are one product, in a tile for each thread. Each tile packs its operands anew, so few large ones are best.
/// - Elsewhere each block has a product of its own, in tiles that follow from its shape alone.
extension ProductTiling {
    /// What packing a row's and a column's number costs, in multiplications: it decides between high and wide tiles.
    /// Measured with the kernels for AVX-512: of equal tiles, rows are cut where that leaves fewer than about 1300
    /// columns to 512 rows.
    private static let (rowPacking, columnPacking) = (42.0, 16.0)
    /// The fewest columns and the most tiles of a block, where tiles follow from the shape.
    private static let (leastColumns, mostTiles) = (256, 8)

    /// Cuts the product of (`blocks` · `rows`, K) and (K, `columns`), where OpenBLAS is given at least `inputs` of K at a
    /// time; every extent is at least 1.
    init(
        blocks: Int, rows: Int, columns: Int, inputs: Int, workers: Workers, isJoined: Bool = BLAS.hasWideKernels
    ) {
        guard isJoined else {
            self.init(
                bands: Cut(blocks * rows, into: blocks, unit: rows),
                panels: Cut(columns, into: Self.tiles(columns: columns)))
            return
        }
        // What is small enough for OpenBLAS to take its other way is neither joined nor cut.
        guard rows * columns * inputs > BLAS.directLimit else {
            self.init(bands: Cut(blocks * rows, into: blocks, unit: rows), panels: Cut(columns, into: 1))
            return
        }
        let multiplications = blocks * rows * columns * inputs
        let most = min(workers.count, multiplications / (BLAS.directLimit + 1))
        // Where tiles for every thread would be too small, fewer threads have some.
        let (bands, panels) =
            (1...most).reversed().lazy
            .compactMap { Self.cuts(rows: blocks * rows, columns: columns, inputs: inputs, tiles: $0) }.first
            ?? (Cut(blocks * rows, into: 1), Cut(columns, into: 1))
        self.init(bands: bands, panels: panels)
    }

    /// The cuts into at most `tiles` tiles that take the least time; nil where some would be too small.
    private static func cuts(rows: Int, columns: Int, inputs: Int, tiles: Int) -> (bands: Cut, panels: Cut)? {
        var best: (bands: Cut, panels: Cut)?
        var leastTime = Double.infinity
        for count in 1...tiles {
            let bands = Cut(rows, into: count)
            let panels = Cut(columns, into: tiles / count)
            guard bands.least * panels.least * inputs > BLAS.directLimit else { continue }
            let packing = rowPacking * Double(bands.most) + columnPacking * Double(panels.most)
            let time = Double(bands.most * panels.most) + packing
            guard time < leastTime else { continue }
            (best, leastTime) = ((bands, panels), time)
        }
        return best
    }

    /// Powers of two share out evenly; even the smallest layer makes two tiles.
    private static func tiles(columns: Int) -> Int {
        var tiles = 2
        while tiles < mostTiles, columns >= 2 * tiles * leastColumns { tiles *= 2 }
        return tiles
    }
}
