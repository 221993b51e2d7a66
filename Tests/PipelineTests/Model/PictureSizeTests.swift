import Foundation
import Models
import PipelineSupport
import Testing

@testable import Pipeline

/// Pictures of another size than the model's own.
@Suite struct PictureSizeTests {
    @Test func `another size is another setting of the same model, and its own size is none`() throws {
        let golden = PixArtCase(name: "pixart-sigma")
        let (directory, scalars) = (try golden.directory(), try golden.scalars())
        let size = PictureSize(width: scalars.width, height: scalars.height)
        let sized = try directory.sized(size)
        #expect(sized.reference() == directory.reference())
        #expect(sized.latentShape != directory.latentShape && sized.size == size)
        let settings = sized.defaultSettings
        #expect(settings.size == size && directory.defaultSettings.size == nil)
        let bytes = CanonicalJSON.data(settings)
        #expect(try JSONDecoder().decode(SampleSettings.self, from: bytes) == settings)
        #expect(!String(decoding: CanonicalJSON.data(directory.defaultSettings), as: UTF8.self).contains("size"))
        let own = PictureSize(width: 8 * directory.latentShape.width, height: 8 * directory.latentShape.height)
        #expect(try directory.sized(own).size == nil)
        let error = #expect(throws: PipelineError.self) { try directory.sized(PictureSize(width: 3, height: 500)) }
        #expect("\(try #require(error))".hasPrefix("--width 3 --height 500: "))
    }
}
