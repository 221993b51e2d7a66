import Compute
import Foundation
import Models
import Synchronization
import TestSupport
import Testing

@testable import Pipeline

@Suite struct EmbeddingStoreTests {
    private let folder: String
    private let model: String

    init() throws {
        let root = FileManager.default.temporaryDirectory.appending(path: "omnicache-tests-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
        (folder, model) = ("\(root.path)/embeddings", "\(root.path)/model")
        try TinyTextEncoder.write(to: model)
    }

    private func store(limit: Int = 1 << 20) -> EmbeddingStore { EmbeddingStore(folder: folder, limit: limit) }

    private func encoder(_ store: EmbeddingStore?) throws -> T5PromptEncoder {
        try T5PromptEncoder(
            tokenizer: "\(model)/tokenizer", encoder: "\(model)/text_encoder", cache: store)
    }

    private func entries() throws -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: folder).sorted()) ?? []
    }

    private func states(_ prompt: String, _ store: EmbeddingStore?) throws -> [Float] {
        try encoder(store).states(of: prompt, limit: 20, workers: Workers(count: 1)).elements
    }

    @Test func `what is kept is what the encoder gives, bit for bit`() throws {
        let fresh = try states("a red fox", nil)
        #expect(try states("a red fox", store()) == fresh)
        #expect(try entries().count == 1)
        #expect(try states("a red fox", store()) == fresh)
        #expect(try entries().count == 1)
    }

    /// Numbers that no encoder has given show that they come from the store.
    @Test func `a second process does not run the encoder`() throws {
        try BLAS.open()
        let first = try encoder(nil)
        let ids = first.tokenizer.tokens(of: "a fox", limit: 20).ids
        let marked = Tensor([Float](repeating: 7, count: ids.count * first.width), shape: [ids.count, first.width])
        store().keep(marked, of: ids, by: first.encoder)
        #expect(try states("a fox", store()) == marked.elements)
        #expect(try states("a red fox", store()) == (try states("a red fox", nil)))
    }

    @Test func `entries that are damaged are made anew`() throws {
        let fresh = try states("a red fox", store())
        let name = try #require(try entries().first)
        let url = URL(filePath: "\(folder)/\(name)")
        let sound = try Data(contentsOf: url)
        var flipped = sound
        flipped[sound.count - 3] ^= 1
        for damaged in [Data(), sound.prefix(70), sound + [0], flipped] {
            try Data(damaged).write(to: url)
            #expect(try states("a red fox", store()) == fresh)
            #expect(try Data(contentsOf: url) == sound)
        }
        try FileManager.default.removeItem(atPath: folder)
        #expect(try states("a red fox", store()) == fresh)
    }

    @Test func `a link in the place of an entry is not followed`() throws {
        let fresh = try states("a fox", store())
        let name = try #require(try entries().first)
        try FileManager.default.moveItem(atPath: "\(folder)/\(name)", toPath: "\(folder)-elsewhere")
        try FileManager.default.createSymbolicLink(
            atPath: "\(folder)/\(name)", withDestinationPath: "\(folder)-elsewhere")
        try BLAS.open()
        let encoder = try encoder(nil)
        #expect(store().states(of: encoder.tokenizer.tokens(of: "a fox", limit: 20).ids, by: encoder.encoder) == nil)
        #expect(try states("a fox", store()) == fresh)
    }

    @Test func `another encoder has entries of its own`() throws {
        let one = try states("a fox", store())
        try TinyTextEncoder.write(to: model, seed: 2)
        let other = try states("a fox", store())
        #expect(one != other)
        #expect(try entries().count == 2)
        let config = "\(model)/text_encoder/config.json"
        let text = try String(contentsOfFile: config, encoding: .utf8).replacing("1e-06", with: "1e-03")
        try Data(text.utf8).write(to: URL(filePath: config))
        #expect(try states("a fox", store()) != other)
        #expect(try entries().count == 3)
    }

    @Test func `what was used longest ago is removed where there is no room`() throws {
        let prompts = ["a fox", "a red", "red fox"]
        let each = 64 + 4 * 16 * (try encoder(nil).tokenizer.tokens(of: "a fox", limit: 20).ids.count)
        let small = store(limit: 2 * each)
        var names: [String: String] = [:]
        for prompt in prompts.prefix(2) {
            let before = Set(try entries())
            _ = try states(prompt, small)
            names[prompt] = Set(try entries()).subtracting(before).first
        }
        // Used again, so newer than the other one.
        _ = try states(prompts[0], small)
        _ = try states(prompts[2], small)
        let left = try entries()
        #expect(left.count == 2)
        #expect(left.contains(try #require(names[prompts[0]])))
        #expect(!left.contains(try #require(names[prompts[1]])))
        _ = try states("a", store(limit: 10))
        #expect(try entries() == left)
    }

    @Test func `a folder that cannot be made is no error`() throws {
        try Data().write(to: URL(filePath: folder))
        #expect(try states("a fox", store()) == (try states("a fox", nil)))
    }
}
