/// How a convolution is cut into bands of whole tile rows: by its shape alone.
struct ConvolutionPlan {
    /// The extents of the output.
    let height, width: Int
    /// The channels that are stored, of the input and of the output.
    let inputs, outputs: Int
    /// The tiles of a tile row.
    let columns: Int
    /// The tile rows of the map.
    let rows: Int
    /// The tile rows of a band; the last band may have fewer.
    let rowsPerBand: Int

    /// How many numbers the transformed tiles of a band should take at most: so many that the products are large
    /// matrices, and so few that they stay in a last-level cache.
    private static let scratch = 1 << 22

    /// Plans the convolution to an output of the given size.
    init(height: Int, width: Int, inputs: Int, outputs: Int) {
        self.height = height
        self.width = width
        self.inputs = inputs
        self.outputs = outputs
        columns = (width + Winograd.outputs - 1) / Winograd.outputs
        rows = (height + Winograd.outputs - 1) / Winograd.outputs
        let most = max(1, Self.scratch / (Winograd.products * max(inputs, outputs) * columns))
        // Bands of equal height.
        let bands = (rows + most - 1) / most
        rowsPerBand = (rows + bands - 1) / bands
    }

    /// The number of bands.
    var bands: Int { (rows + rowsPerBand - 1) / rowsPerBand }
    /// The tiles of a whole band.
    var tiles: Int { rowsPerBand * columns }
    /// The pixels of a row of a band with its border.
    var bandWidth: Int { Winograd.outputs * columns + 2 }
    /// The rows of pixels of a whole band with its border.
    var bandHeight: Int { Winograd.outputs * rowsPerBand + 2 }

    /// The distances between matrices: a little more than their size, so that those of one tile do not all fall into
    /// the same set of a cache.
    var tilesStride: Int { tiles * inputs + Vector.scalarCount }
    var productsStride: Int { tiles * outputs + Vector.scalarCount }

    /// Makes room for a band.
    func reserve(in workspace: ConvolutionWorkspace) {
        workspace.reserve(
            filters: Winograd.products * inputs * outputs, band: bandHeight * bandWidth * inputs,
            tiles: Winograd.products * tilesStride, products: Winograd.products * productsStride)
    }
}
