import Media
import Testing

@Suite struct ImageTests {
    @Test func `planes become interleaved rows`() {
        let image = Image(planar: [0, 1, 2, 3, 4, 5].map { $0 * 51 }, width: 2, height: 1, channels: 3, range: 0...255)
        #expect(image.pixels == [0, 102, 204, 51, 153, 255])
        #expect(image.rowBytes == 6)
    }

    // from diffusers.image_processor import VaeImageProcessor; p = VaeImageProcessor()
    // (p.pt_to_numpy(p.denormalize(torch.tensor(x).reshape(1, 1, 3, 6))) * 255).round().astype("uint8")
    @Test func `values become diffusers' bytes`() {
        let values: [Float] = [
            -1.5, -1, -0.999, -0.4, -0.8, 0, 0.2, 0.4, 0.6, 0.5, 0.999, 1, 1.5, -0.0039, 0.0039, 0.1, -0.1, 0.7,
        ]
        let image = Image(planar: values, width: 6, height: 3, channels: 1)
        #expect(image.pixels == [0, 0, 0, 76, 25, 128, 153, 178, 204, 191, 255, 255, 255, 127, 128, 140, 115, 217])
    }

    // i = torch.arange(-510, 511).float() / 510
    // b = (p.pt_to_numpy(p.denormalize(i.reshape(1, 1, 1, -1))) * 255).round().ravel().astype(int)
    // b.sum(), (b * np.arange(b.size)).sum()  # every fourth value lies halfway between two bytes
    @Test func `halves are rounded to even as in numpy`() {
        let values = (-510...510).map { Float($0) / 510 }
        let pixels = Image(planar: values, width: 1021, height: 1, channels: 1).pixels.map { Int($0) }
        #expect(pixels.reduce(0, +) == 130_176)
        #expect(pixels.enumerated().reduce(0) { $0 + $1.offset * $1.element } == 88_587_395)
    }

    @Test(arguments: [-1...1, 0...1, 0...255, -3...5] as [ClosedRange<Float>])
    func `the range's ends become 0 and 255, whatever lies beyond is clamped`(range: ClosedRange<Float>) {
        let values = [range.lowerBound, range.upperBound, range.lowerBound - 1, range.upperBound + 1]
        let image = Image(planar: values, width: 4, height: 1, channels: 1, range: range)
        #expect(image.pixels == [0, 255, 0, 255])
    }

    @Test func `numbers that are not finite stay within a byte`() {
        let image = Image(planar: [.nan, .infinity, -.infinity], width: 3, height: 1, channels: 1)
        #expect(image.pixels == [0, 255, 0])
    }

    @Test func `a collection without contiguous storage converts alike`() {
        let values = (0..<60).map { Float($0) / 30 - 1 }
        let lazy = Image(planar: values.lazy.map { $0 }, width: 5, height: 4, channels: 3)
        #expect(lazy == Image(planar: values, width: 5, height: 4, channels: 3))
    }
}
