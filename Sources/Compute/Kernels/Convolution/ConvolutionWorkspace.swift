/// The scratch memory of convolutions, used by one at a time; it grows to what the largest so far needs.
public final class ConvolutionWorkspace {
    /// The transformed filters, (36, Cin, Cout).
    private(set) var filters = Tensor([0])
    /// The rows of a band, normalised, upsampled, and with a border of zeros: (4 rows + 2, 4 columns + 2, Cin).
    private(set) var band = Tensor([0])
    /// The transformed tiles of a band, (36, tiles, Cin).
    private(set) var tiles = Tensor([0])
    /// Their products with the filters, (36, tiles, Cout).
    private(set) var products = Tensor([0])

    /// Starts empty.
    public init() {}

    /// Sees to it that each part has at least the given count of elements.
    func reserve(filters: Int, band: Int, tiles: Int, products: Int) {
        Self.grow(&self.filters, to: filters)
        Self.grow(&self.band, to: band)
        Self.grow(&self.tiles, to: tiles)
        Self.grow(&self.products, to: products)
    }

    private static func grow(_ tensor: inout Tensor, to count: Int) {
        guard tensor.count < count else { return }
        // The old memory goes before the new comes.
        tensor = Tensor([0])
        tensor = Tensor(uninitialized: [count])
    }
}
