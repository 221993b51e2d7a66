import Compute
import Testing

@testable import Models

/// Which files of a directory are its weights. Each file holds one tensor with a name of its own.
@Suite struct WeightChoiceTests {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    private func write(_ tensor: String, to file: String) throws {
        try directory.write(SafetensorsWriter.bytes([(tensor, Tensor([1], shape: [1]))]), to: file)
    }

    /// An index of shards that all hold one tensor, of the shard's name.
    private func writeIndex(_ name: String, shards: String..., present: Bool = true) throws {
        let map = shards.map { "\"\($0)\":\"\($0)\"" }.joined(separator: ",")
        try directory.write(text: "{\"weight_map\":{\(map)}}", to: name)
        if present { for shard in shards { try write(shard, to: shard) } }
    }

    private func names(variant: String? = nil) throws(SafetensorsError) -> [String] {
        try WeightArchive(directory: directory.path, variant: variant).names
    }

    private func failure(variant: String? = nil) throws -> SafetensorsError {
        let error = try #require(throws: SafetensorsError.self) { try names(variant: variant) }
        #expect(!error.description.contains("\n"))
        return error
    }

    @Test(arguments: [
        ("diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.safetensors.index.json"),
        ("model.safetensors", "model.safetensors.index.json"),
        ("dit.safetensors", "dit.safetensors.index.json"),
        ("model.fp16.safetensors", "model.safetensors.index.fp16.json"),
    ])
    func `an index wins over a single file if its shards are there`(single: String, index: String) throws {
        try write("old", to: single)
        try writeIndex(index, shards: "new-00001-of-00002.safetensors", "new-00002-of-00002.safetensors")
        #expect(try names() == ["new-00001-of-00002.safetensors", "new-00002-of-00002.safetensors"])
    }

    @Test func `an index without one of its shards and a single file are both named`() throws {
        try write("old", to: "model.safetensors")
        try writeIndex("model.safetensors.index.json", shards: "a-00001-of-00002.safetensors")
        try writeIndex(
            "model.safetensors.index.json", shards: "a-00001-of-00002.safetensors", "a-00002-of-00002.safetensors",
            present: false)
        let error = try failure()
        #expect(
            error
                == .missingShardBesideFile(
                    index: "\(directory.path)/model.safetensors.index.json", shard: "a-00002-of-00002.safetensors",
                    file: "model.safetensors"))
        #expect(error.kind == .badData)
    }

    @Test func `shards that the index does not list are left aside`() throws {
        try write("stale", to: "model-00003-of-00003.safetensors")
        try writeIndex("model.safetensors.index.json", shards: "model-00001-of-00002.safetensors")
        #expect(try names() == ["model-00001-of-00002.safetensors"])
    }

    @Test(arguments: ["fp16", "ema", "non_ema", "bf16", "my-own", "ema.fp16", "1"])
    func `the only variant is loaded, as a file or as shards, by its new and its old name`(variant: String) throws {
        for stem in ["diffusion_pytorch_model", "model", "dit"] {
            let single = "\(stem).\(variant).safetensors"
            let choice = try WeightChoice(from: [single, "config.json"], in: "m", variant: nil)
            #expect(try WeightChoice(from: [single], in: "m", variant: variant) == choice)
            #expect(choice?.single == single)
            #expect(choice?.variant == variant)
            let old = "\(stem).safetensors.\(variant).index.json"
            for index in ["\(stem).safetensors.index.\(variant).json", old] {
                let shards = [
                    "\(stem).\(variant)-00001-of-00002.safetensors", "\(stem)-00002-of-00002.\(variant).safetensors",
                ]
                let choice = try WeightChoice(from: shards + [index], in: "m", variant: nil)
                #expect(choice?.index == index)
                #expect(choice?.single == nil)
                #expect(choice?.variant == variant)
            }
        }
    }

    @Test func `plain weights win over variants, and a variant that is asked for over both`() throws {
        try write("plain", to: "diffusion_pytorch_model.safetensors")
        try write("half", to: "diffusion_pytorch_model.fp16.safetensors")
        try writeIndex(
            "diffusion_pytorch_model.safetensors.index.ema.json",
            shards: "diffusion_pytorch_model.ema-00001-of-00001.safetensors")
        #expect(try names() == ["plain"])
        #expect(try names(variant: "fp16") == ["half"])
        #expect(try names(variant: "ema") == ["diffusion_pytorch_model.ema-00001-of-00001.safetensors"])
        #expect(try names(variant: "bf16") == ["plain"], "a part that lacks the variant is read without")
    }

    @Test func `of several variants and no plain weights, one must be named`() throws {
        for variant in ["fp16", "bf16", "ema"] { try write(variant, to: "model.\(variant).safetensors") }
        let error = try failure()
        #expect(error == .severalVariants(directory: directory.path, variants: ["bf16", "ema", "fp16"]))
        #expect(error.description.contains("--variant NAME"))
        #expect(error.kind == .badData)
        #expect(try names(variant: "bf16") == ["bf16"])
        #expect(try failure(variant: "int8") == error)
    }

    @Test(arguments: [
        ["model.safetensors", "diffusion_pytorch_model.safetensors"],
        ["model.safetensors.index.fp16.json", "model.safetensors.fp16.index.json"],
        ["a.safetensors.index.json", "b.safetensors.index.json"],
        ["one.safetensors", "two.fp16.safetensors"],
    ])
    func `what cannot be told apart is named`(files: [String]) throws {
        let error = try #require(throws: SafetensorsError.self) {
            try WeightChoice(from: files, in: "m", variant: nil)
        }
        #expect(error == .ambiguousWeights(directory: "m", candidates: files.sorted()))
        #expect(error.kind == .badData)
    }

    @Test func `shards without an index are named as such, and a shard of one is a whole file`() throws {
        let shards = ["model-00002-of-00003.safetensors", "model-00001-of-00003.safetensors"]
        let error = try #require(throws: SafetensorsError.self) {
            try WeightChoice(from: shards, in: "m", variant: nil)
        }
        #expect(error == .shardsWithoutIndex(directory: "m", shard: "model-00001-of-00003.safetensors"))
        let whole = "model-00001-of-00001.safetensors"
        #expect(try WeightChoice(from: [whole], in: "m", variant: nil)?.single == whole)
    }

    @Test(arguments: [
        "._model.safetensors", ".safetensors", "safetensors", "model.safetensors.bak", "model.safetensors.json",
        "model.bin", "model.safetensors.index", "config.json",
    ])
    func `other files are not weights`(name: String) throws {
        #expect(try WeightChoice(from: [name], in: "m", variant: nil) == nil)
        #expect(WeightChoice.variants(in: [name, "model.fp16.safetensors"]) == ["fp16"])
    }
}
