import Compute
import TestSupport
import Testing

@testable import Models

@Suite struct AutoencoderTests {
    /// The reference is exact. Each of some ten convolutions one after another leaves a few 1e-7 of the largest value.
    @Test(arguments: GoldenAutoencoder.all)
    func `images are those of diffusers`(golden: GoldenAutoencoder) throws {
        let image = try golden.load().decode(golden.tensor("latents"), workers: Workers(count: 2))
        let expected = try golden.tensor("image")
        #expect(image.shape == expected.shape)
        let error = largestRelativeDifference(image.elements, against: expected.elements)
        #expect(figure("image of \(golden.name), largest difference", error, below: 5e-6))
    }

    @Test(arguments: GoldenAutoencoder.all)
    func `the number of threads changes no bit`(golden: GoldenAutoencoder) throws {
        let autoencoder = try golden.load()
        let latents = Tensor(
            noise(autoencoder.latentChannels * 11 * 9, seed: 5, scale: 2), shape: [autoencoder.latentChannels, 11, 9])
        let one = autoencoder.decode(latents, workers: Workers(count: 1)).elements
        let same = [2, 3].allSatisfy { autoencoder.decode(latents, workers: Workers(count: $0)).elements == one }
        #expect(same)
    }

    @Test(arguments: GoldenAutoencoder.all)
    func `an autoencoder says what it takes and makes`(golden: GoldenAutoencoder) throws {
        let autoencoder = try golden.load()
        let (latents, image) = (try golden.tensor("latents").shape, try golden.tensor("image").shape)
        #expect(autoencoder.latentChannels == latents[0])
        #expect(autoencoder.imageChannels == image[0])
        #expect(autoencoder.scale * latents[1] == image[1])
        #expect(try golden.config.scale == autoencoder.scale)
        #expect(try golden.config.latentChannels == autoencoder.latentChannels)
        #expect(autoencoder.weightBytes > 0)
    }

    @Test func `the attention's older names and shapes mean the same`() throws {
        let golden = GoldenAutoencoder(name: "kl")
        let latents = try golden.tensor("latents")
        let now = try golden.load().decode(latents, workers: Workers(count: 2)).elements
        let names = ["to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"]
        for asConvolution in [false, true] {
            var renamed = 0
            let old = try golden.load { name, tensor in
                guard let new = names.first(where: { name.contains(".\($0.key).") }) else { return (name, tensor) }
                renamed += 1
                let shape = tensor.shape + (asConvolution && tensor.shape.count == 2 ? [1, 1] : [])
                return (name.replacing(new.key, with: new.value), tensor.reshaped(shape))
            }
            #expect(renamed == 8)
            let same = old.decode(latents, workers: Workers(count: 2)).elements == now
            #expect(same)
        }
    }

    @Test(arguments: GoldenAutoencoder.all)
    func `the encoder's tensors are not looked at`(golden: GoldenAutoencoder) throws {
        func isEncoder(_ name: String) -> Bool { name.hasPrefix("encoder.") || name.hasPrefix("quant_conv.") }
        var dropped = 0
        let latents = try golden.tensor("latents")
        let image = try golden.load().decode(latents, workers: Workers(count: 1)).elements
        let without = try golden.load { name, tensor in
            dropped += isEncoder(name) ? 1 : 0
            return isEncoder(name) ? nil : (name, tensor)
        }
        #expect(dropped > 0)
        let same = without.decode(latents, workers: Workers(count: 1)).elements == image
        #expect(same)
    }

    @Test(arguments: GoldenAutoencoder.all)
    func `every missing tensor is named`(golden: GoldenAutoencoder) throws {
        let file = try SafetensorsFile(path: "\(golden.folder)/diffusion_pytorch_model.safetensors")
        let needed = file.entries.map(\.name).filter { $0.hasPrefix("decoder.") || $0.hasPrefix("post_quant_conv.") }
        for name in needed {
            // Without its query, an attention has neither the newer nor the older names.
            let error = try #require(throws: ModelError.self) {
                try golden.load { $0 == name ? nil : ($0, $1) }
            }
            #expect(error.description.contains("1 tensor is missing: \(name);"), "\(error)")
            #expect(error.kind == .badData)
        }
    }

    @Test func `a tensor of another shape is named with both shapes`() throws {
        let error = try #require(throws: ModelError.self) {
            try GoldenAutoencoder(name: "kl").load { name, tensor in
                name == "decoder.conv_in.weight" ? (name, Tensor([12, 3, 3, 3])) : (name, tensor)
            }
        }
        #expect(error.description.contains("decoder.conv_in.weight has shape [12, 3, 3, 3]"), "\(error)")
        #expect(error.description.contains("implies [12, 4, 3, 3]"), "\(error)")
        #expect(error.description.contains("block_out_channels [8, 12]"), "\(error)")
    }

    @Test func `loading tells its progress`() throws {
        let golden = GoldenAutoencoder(name: "tiny")
        var shares: [Double] = []
        _ = try golden.config.load(from: WeightArchive(directory: golden.folder)) { shares.append($0) }
        #expect(shares == shares.sorted())
        #expect(shares.last == 1)
        #expect(shares.count > 10)
    }
}
