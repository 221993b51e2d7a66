import Compute
import Testing

@testable import Models

@Suite struct SafetensorsArchiveTests {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    private func write(_ names: [String], value: Float = 1, to file: String) throws {
        try directory.write(SafetensorsWriter.bytes(names.map { ($0, Tensor([value], shape: [1])) }), to: file)
    }

    private func archive() throws(SafetensorsError) -> WeightArchive {
        try WeightArchive(directory: directory.path)
    }

    private func failure() throws -> SafetensorsError {
        try #require(throws: SafetensorsError.self) { try archive() }
    }

    @Test(arguments: ["model.safetensors", "diffusion_pytorch_model.safetensors", "anything.safetensors"])
    func `a single file is found under its usual names or any`(name: String) throws {
        try write(["a", "b"], to: name)
        try directory.write(text: "{}", to: "config.json")
        let archive = try archive()
        #expect(archive.names == ["a", "b"])
        #expect(archive.files.map(\.path) == [directory.path + "/" + name])
        #expect(try archive.tensor("b", shape: [1]).elements == [1])
    }

    @Test func `the usual name wins over other files`() throws {
        try write(["decoder"], to: "decoder.safetensors")
        try write(["model"], to: "model.safetensors")
        #expect(try archive().names == ["model"])
    }

    @Test func `several files without a usual name or index are refused and listed`() throws {
        try write(["a"], to: "a.safetensors")
        try write(["b"], to: "b.safetensors")
        #expect(
            try failure()
                == .ambiguousWeights(directory: directory.path, candidates: ["a.safetensors", "b.safetensors"]))
    }

    @Test func `shards are joined by their index`() throws {
        try write(["a", "c"], value: 1, to: "s-1.safetensors")
        try write(["b", "hidden"], value: 2, to: "s-2.safetensors")
        try directory.write(
            text: #"{"weight_map":{"c":"s-1.safetensors","b":"s-2.safetensors","a":"s-1.safetensors"}}"#,
            to: "m.safetensors.index.json")
        let archive = try archive()
        #expect(archive.names == ["a", "b", "c"])
        #expect(archive.files.count == 2)
        #expect(archive.entry("hidden") == nil)
        #expect(try archive.tensor(joining: ["b", "a"], storedShape: [1], shape: [2, 1]).elements == [2, 1])
    }

    @Test func `a shard that is missing, or lacks a tensor of the index, is named`() throws {
        let index = "m.safetensors.index.json"
        try write(["a"], to: "s-1.safetensors")
        try directory.write(text: #"{"weight_map":{"a":"s-1.safetensors","b":"s-2.safetensors"}}"#, to: index)
        #expect(try failure() == .missingShard(index: "\(directory.path)/\(index)", shard: "s-2.safetensors"))
        #expect(try failure().kind == .missingInput)
        try directory.write(text: #"{"weight_map":{"a":"s-1.safetensors","b":"s-1.safetensors"}}"#, to: index)
        #expect(
            try failure()
                == .tensorNotInShard(index: "\(directory.path)/\(index)", shard: "s-1.safetensors", tensor: "b"))
    }

    @Test(arguments: [
        "../s.safetensors", "/etc/s.safetensors", "sub/s.safetensors", "./s.safetensors", "s\\u0000.safetensors",
        "config.json", "",
    ])
    func `an index cannot reach outside its directory or to other kinds of file`(shard: String) throws {
        try directory.write(text: #"{"weight_map":{"a":"\#(shard)"}}"#, to: "m.safetensors.index.json")
        let error = try failure()
        #expect(error.description.contains("the shard of a is not the name of a file"), "\(error)")
        #expect(error.kind == .badData)
    }

    @Test func `a name from a file cannot break an error's line`() throws {
        try write(["a"], to: "s.safetensors")
        try directory.write(
            text: ##"{"weight_map":{"x\n\u001b[2J\u2028y":"s.safetensors"}}"##, to: "m.safetensors.index.json")
        #expect(try failure().description.contains(#"says that x\u{a}\u{1b}[2J\u{2028}y is in s.safetensors"#))
    }

    @Test(arguments: ["", "[]", "{}", #"{"weight_map":{}}"#, #"{"weight_map":{"a":1}}"#, #"{"weight_map":[]}"#])
    func `an index that is none is refused`(text: String) throws {
        try directory.write(text: text, to: "m.safetensors.index.json")
        guard case .malformedIndex = try failure() else {
            Issue.record("\(try failure())")
            return
        }
    }

    @Test func `a missing directory, an empty one and a file are three different failures`() throws {
        let missing = try #require(throws: SafetensorsError.self) {
            try WeightArchive(directory: directory.path + "/none")
        }
        #expect(missing == .missingFile(path: directory.path + "/none"))
        #expect(missing.kind == .missingInput)
        #expect(try failure().kind == .missingInput)
        #expect(try failure().description.contains("no .safetensors file"))
        let file = try directory.write(text: "", to: "file")
        let notDirectory = try #require(throws: SafetensorsError.self) { try WeightArchive(directory: file) }
        #expect(notDirectory.kind == .inputOutput)
    }

    @Test func `what lies in place of weights is told`() throws {
        try directory.write(text: "", to: "pytorch_model.bin")
        #expect(try failure().description.contains("python3 Scripts/convert.py \(directory.path) "))
        try directory.write(text: "{}", to: "model_index.json")
        try directory.write(text: "", to: "transformer")
        #expect(try failure().description.contains("its network is in the subdirectory transformer"))
    }
}
