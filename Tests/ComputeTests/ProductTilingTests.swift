import TestSupport
import Testing

@testable import Compute

@Suite struct ProductTilingTests {
    /// Rows of a block, inputs, columns: layers of DiTs and odd sizes, on both sides of ``BLAS/directLimit``.
    private static let shapes = [
        [256, 384, 1152], [64, 192, 192], [64, 768, 192], [64, 192, 576], [256, 16, 384], [256, 384, 32],
        [33, 400, 77], [50, 400, 100], [17, 1000, 500], [1, 5, 3], [257, 600, 1100], [130, 384, 96],
    ]

    private func tilings(_ shape: [Int], blocks: Int, isJoined: Bool) -> [ProductTiling] {
        [1, 2, 3, 4, 7, 16, 64].map { threads in
            ProductTiling(
                blocks: blocks, rows: shape[0], columns: shape[2], inputs: min(shape[1], 384),
                workers: Workers(count: threads), isJoined: isJoined)
        }
    }

    @Test(arguments: shapes, [true, false])
    func `tiles cover every element once`(shape: [Int], isJoined: Bool) {
        for blocks in 1...3 {
            for tiling in tilings(shape, blocks: blocks, isJoined: isJoined) {
                var times = [Int](repeating: 0, count: blocks * shape[0] * shape[2])
                for tile in 0..<tiling.count {
                    let (rows, columns) = tiling[tile]
                    for row in rows { for column in columns { times[row * shape[2] + column] += 1 } }
                }
                #expect(times.allSatisfy { $0 == 1 })
            }
        }
    }

    @Test(arguments: shapes)
    func `no tile of a joined product is small unless its block is`(shape: [Int]) {
        let inputs = min(shape[1], 384)
        for blocks in 1...3 {
            for tiling in tilings(shape, blocks: blocks, isJoined: true) {
                let isSmall = (0..<tiling.count).contains {
                    tiling[$0].rows.count * tiling[$0].columns.count * inputs <= BLAS.directLimit
                }
                #expect(isSmall == (shape[0] * shape[2] * inputs <= BLAS.directLimit))
            }
        }
    }

    @Test func `a joined product of some size has a tile for each of two threads`() {
        for shape in [[256, 384, 1152], [64, 192, 192], [256, 384, 32], [256, 4608, 1152]] {
            for blocks in 1...2 { #expect(tilings(shape, blocks: blocks, isJoined: true)[1].count == 2) }
        }
    }

    @Test func `tiles of blocks on their own depend on neither threads nor the other blocks`() {
        for shape in Self.shapes {
            let alone = tilings(shape, blocks: 1, isJoined: false)[0]
            for tiling in tilings(shape, blocks: 2, isJoined: false) {
                #expect(tiling.count == 2 * alone.count)
                for tile in 0..<alone.count {
                    #expect(tiling[tile].rows == alone[tile].rows && tiling[tile].columns == alone[tile].columns)
                }
            }
        }
    }

    @Test(arguments: shapes, [LayerRole.block, .passing])
    func `neither threads nor other blocks change a bit of a product`(shape: [Int], role: LayerRole) throws {
        let (rows, inputs, outputs) = (shape[0], shape[1], shape[2])
        let layer = try Linear(
            weight: WeightMatrix(Tensor(noise(outputs * inputs, seed: 1), shape: [outputs, inputs])),
            bias: Tensor(noise(outputs, seed: 2), shape: [outputs]), role: role, engine: OpenBLASEngine())
        let x = noise(3 * rows * inputs, seed: 3)
        func product(blocks: Range<Int>, threads: Int) -> [Float] {
            let workers = Workers(count: threads)
            let y = Tensor([blocks.count * rows, outputs])
            x.withUnsafeBufferPointer { x in
                guard let start = x.baseAddress else { return }
                layer(
                    start + blocks.lowerBound * rows * inputs, blocks: blocks.count, rows: rows, into: y.pointer,
                    activation: .gelu, workers: workers)
            }
            return y.elements
        }
        let alone = (0..<3).flatMap { product(blocks: $0..<$0 + 1, threads: 1) }
        for threads in [1, 2, 3, 5, 16] {
            let together = product(blocks: 0..<3, threads: threads)
            #expect(together == alone)
        }
    }

    @Test(.enabled(if: BLAS.hasWideKernels, "the kernels of this processor do not promise it"))
    func `with kernels for AVX-512 an element has the same bits in every product of some size`() {
        var random = SplitMix64(seed: 9)
        for (rows, inputs, columns) in [(130, 384, 200), (96, 767, 150), (512, 192, 96), (64, 640, 333)] {
            let (a, b) = (noise(rows * inputs, seed: 1), noise(columns * inputs, seed: 2))
            func product(_ rows: Range<Int>, _ columns: Range<Int>) -> [Float] {
                var c = [Float](repeating: 0, count: rows.count * columns.count)
                BLAS.multiply(
                    m: rows.count, n: columns.count, k: inputs,
                    Array(a[rows.lowerBound * inputs..<rows.upperBound * inputs]), lda: inputs,
                    Array(b[columns.lowerBound * inputs..<columns.upperBound * inputs]), ldb: inputs, .transposed,
                    into: &c, ldc: columns.count)
                return c
            }
            let whole = product(0..<rows, 0..<columns)
            var compared = 0
            while compared < 20 {
                let firstRow = Int.random(in: 0..<rows, using: &random)
                let firstColumn = Int.random(in: 0..<columns, using: &random)
                let part = (
                    rows: firstRow..<Int.random(in: firstRow + 1...rows, using: &random),
                    columns: firstColumn..<Int.random(in: firstColumn + 1...columns, using: &random)
                )
                guard part.rows.count * part.columns.count * inputs > BLAS.directLimit else { continue }
                compared += 1
                let expected = part.rows.flatMap { row in part.columns.map { whole[row * columns + $0] } }
                #expect(product(part.rows, part.columns) == expected)
            }
        }
    }
}
