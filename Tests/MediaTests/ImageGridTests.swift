import Media
import Testing

@Suite struct ImageGridTests {
    @Test func `one image without padding is itself`() throws {
        let image = TestImages.noise(width: 3, height: 2, channels: 3)
        #expect(try ImageGrid.arrange([image], columns: 4, padding: 0) == image)
    }

    @Test(arguments: [(1, 1, 0), (5, 2, 1), (6, 3, 2), (2, 9, 3), (7, 7, 0)], [1, 3])
    func `every image stands in its cell and the rest is background`(
        layout: (count: Int, columns: Int, padding: Int), channels: Int
    ) throws {
        let (count, columns, padding) = layout
        let images = (0..<count).map { TestImages.noise(width: 4, height: 3, channels: channels, seed: $0) }
        let colour = Colour(red: 1, green: 2, blue: 3)
        let grid = try ImageGrid.arrange(images, columns: columns, padding: padding, background: colour)
        let used = min(columns, count)
        #expect(grid.width == padding + used * (4 + padding))
        #expect(grid.height == padding + (count + used - 1) / used * (3 + padding))
        // Luma of (1, 2, 3): 0.299 + 2 * 0.587 + 3 * 0.114 = 1.815.
        let background: [UInt8] = channels == 1 ? [2] : [1, 2, 3]
        var mismatches = 0
        for y in 0..<grid.height {
            for x in 0..<grid.width {
                let (column, left) = (x - padding).quotientAndRemainder(dividingBy: 4 + padding)
                let (row, top) = (y - padding).quotientAndRemainder(dividingBy: 3 + padding)
                let index = row * used + column
                let isInside = x >= padding && y >= padding && left < 4 && top < 3 && index < count
                for c in 0..<channels {
                    let expected =
                        isInside ? images[index].pixels[(top * 4 + left) * channels + c] : background[c]
                    if grid.pixels[(y * grid.width + x) * channels + c] != expected { mismatches += 1 }
                }
            }
        }
        #expect(mismatches == 0)
    }

    @Test func `images that differ in shape are refused`() {
        let first = TestImages.flat(1, width: 2, height: 2, channels: 3)
        for other in [(2, 3, 3), (3, 2, 3), (2, 2, 1)] {
            let second = TestImages.flat(1, width: other.0, height: other.1, channels: other.2)
            #expect(
                throws: ImageError.shapesDiffer(
                    first: "2x2 RGB", second: "\(other.0)x\(other.1) \(other.2 == 1 ? "gray" : "RGB")")
            ) { try ImageGrid.arrange([first, second], columns: 2) }
        }
    }

    @Test func `a grid of nothing is refused`() {
        #expect(throws: ImageError.emptyGrid) { try ImageGrid.arrange([Image](), columns: 2) }
    }

    @Test func `a grid beyond the limit is refused`() {
        let image = TestImages.flat(1, width: 1, height: 1, channels: 1)
        #expect {
            try ImageGrid.arrange([image], columns: 1, padding: 10000)
        } throws: { "\($0)".contains("20001x20001 pixels exceeds the limit") }
    }
}
