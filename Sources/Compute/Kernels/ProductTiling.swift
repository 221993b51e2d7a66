/// How a matrix product is cut into tiles that threads compute side by side: bands of rows, and in each the same panels of
/// columns.
///
/// The rows come in blocks, such as the guidance branches of a forward, one behind another. An engine makes the cut in such
/// a way that an element has the same bits, whatever the number of blocks and threads.
public struct ProductTiling: Sendable {
    /// A length in pieces that begin at multiples of a unit, as equal as that allows; or blocks of one length, each cut so.
    struct Cut {
        let length: Int
        let count: Int
        let unit: Int
        private var blocks = 1

        init(_ length: Int, into count: Int, unit: Int = ProductTiling.unit) {
            self.length = length
            self.count = min(count, (length + unit - 1) / unit)
            self.unit = unit
        }

        /// Cuts each of `blocks` blocks of `length` into pieces of at most `most`, a multiple of the unit.
        init(blocks: Int, of length: Int, most: Int) {
            self.blocks = blocks
            self.length = length
            count = blocks * ((length + most - 1) / most)
            unit = ProductTiling.unit
        }

        private var units: Int { (length + unit - 1) / unit }
        /// A lower bound of the smallest piece; the last one may lack a part of a unit.
        var least: Int { units / count * unit - (units * unit - length) }
        /// The largest piece, in whole units.
        var most: Int { (units + count - 1) / count * unit }

        subscript(index: Int) -> Range<Int> {
            let pieces = count / blocks
            let (block, piece) = index.quotientAndRemainder(dividingBy: pieces)
            let first = units * piece / pieces * unit
            let end = min(units * (piece + 1) / pieces * unit, length)
            return block * length + first..<block * length + end
        }
    }

    /// A multiple of the widths of register tiles.
    static let unit = 16

    let bands: Cut
    let panels: Cut
    /// Whether a tile's columns are multiplied a unit at a time.
    var isDirect = false

    /// The rows of all blocks.
    var rows: Int { bands[bands.count - 1].upperBound }

    /// How many tiles there are, each a task of its own.
    public var count: Int { bands.count * panels.count }

    /// The rows, counted over all blocks, and the columns of a tile.
    package subscript(tile: Int) -> (rows: Range<Int>, columns: Range<Int>) {
        (bands[tile / panels.count], panels[tile % panels.count])
    }
}
