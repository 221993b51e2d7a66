import Foundation
import Media
import Testing

/// Multi-scale SSIM and HaarPSI.
@Suite struct PerceptionTests {
    /// What Scripts/golden/measures.py wrote for one pair of pictures; nil where they are too small.
    struct Golden: Decodable, Sendable, CustomTestStringConvertible {
        let width: Int
        let height: Int
        let channels: Int
        let distortion: String
        let multiScaleSSIM: Double?
        let haarPSI: Double?

        var testDescription: String { "\(width)x\(height)x\(channels), \(distortion)" }

        static let all: [Golden] = {
            guard let url = Bundle.module.url(forResource: "measures", withExtension: "json", subdirectory: "Golden"),
                let data = try? Data(contentsOf: url)
            else { return [] }
            return (try? JSONDecoder().decode([Golden].self, from: data)) ?? []
        }()

        var pictures: (Image, Image) {
            let (clean, noisy) = ImageMetricsTests.pair(width: width, height: height, channels: channels)
            var pixels = clean.pixels
            switch distortion {
            case "noisy": return (clean, noisy)
            case "inverted": pixels = pixels.map { 255 - $0 }
            case "swapped":
                for pixel in stride(from: 0, to: pixels.count, by: channels) {
                    pixels.swapAt(pixel, pixel + channels - 1)
                }
            default: pixels = TestImages.noise(width: width, height: height, channels: channels, seed: 2).pixels
            }
            return (clean, Image(width: width, height: height, channels: channels, pixels: pixels))
        }
    }

    @Test func `there are golden figures of pictures with one to five scales`() {
        let sides = Golden.all.filter { $0.multiScaleSSIM != nil }.map { min($0.width, $0.height) }
        #expect([11, 21, 41, 81, 161].allSatisfy(sides.contains))
        #expect(Golden.all.contains { $0.multiScaleSSIM == nil } && Golden.all.contains { $0.haarPSI == nil })
    }

    @Test(arguments: Golden.all)
    func `both measures are those of their papers`(golden: Golden) throws {
        let (first, second) = golden.pictures
        if let expected = golden.multiScaleSSIM {
            #expect(abs(try ImageMetrics.multiScaleSSIM(first, second) - expected) < 1e-11)
            #expect(abs(try ImageMetrics.multiScaleSSIM(second, first) - expected) < 1e-11)
        } else {
            #expect(throws: ImageError.self) { try ImageMetrics.multiScaleSSIM(first, second) }
        }
        if let expected = golden.haarPSI {
            #expect(abs(try ImageMetrics.haarPSI(first, second) - expected) < 1e-11)
            #expect(abs(try ImageMetrics.haarPSI(second, first) - expected) < 1e-11)
        } else {
            #expect(throws: ImageError.self) { try ImageMetrics.haarPSI(first, second) }
        }
    }

    @Test(arguments: [1, 3])
    func `equal pictures are 1, black ones too`(channels: Int) throws {
        let pictures = [
            TestImages.noise(width: 43, height: 22, channels: channels),
            TestImages.flat(0, width: 23, height: 22, channels: channels),
            TestImages.flat(255, width: 23, height: 22, channels: channels),
        ]
        for picture in pictures {
            #expect(abs(try ImageMetrics.multiScaleSSIM(picture, picture) - 1) < 1e-12)
            #expect(abs(try ImageMetrics.haarPSI(picture, picture) - 1) < 1e-12)
        }
    }

    @Test func `with a single scale multi-scale SSIM is SSIM`() throws {
        let (first, second) = ImageMetricsTests.pair(width: 40, height: 20, channels: 3)
        #expect(try ImageMetrics.multiScaleSSIM(first, second) == ImageMetrics.ssim(first, second))
    }

    @Test func `HaarPSI sees another colour of the same luma, which no gray measure does`() throws {
        let gray = TestImages.flat(100, width: 32, height: 32, channels: 3)
        let tinted = Image(
            width: 32, height: 32, channels: 3, pixels: (0..<32 * 32).flatMap { _ -> [UInt8] in [160, 70, 99] })
        #expect(try ImageMetrics.haarPSI(gray, tinted) < 0.9)
    }

    @Test func `pictures that are too small, or differ in shape, are refused with a reason`() {
        let small = TestImages.flat(0, width: 15, height: 10, channels: 1)
        #expect(throws: ImageError.tooSmall(measure: "MS-SSIM", width: 15, height: 10, least: 11)) {
            try ImageMetrics.multiScaleSSIM(small, small)
        }
        #expect(throws: ImageError.tooSmall(measure: "HaarPSI", width: 15, height: 10, least: 16)) {
            try ImageMetrics.haarPSI(small, small)
        }
        let other = TestImages.flat(0, width: 10, height: 15, channels: 1)
        let error = ImageError.shapesDiffer(first: "15x10 gray", second: "10x15 gray")
        #expect(throws: error) { try ImageMetrics.multiScaleSSIM(small, other) }
        #expect(throws: error) { try ImageMetrics.haarPSI(small, other) }
    }
}
