import Compute
import Foundation
import Testing

/// Models whose weights are there in more than one way.
@Suite struct WeightChoiceTests {
    private let place: Workplace
    private let directory: String

    init() throws {
        place = try Workplace()
        directory = "\(place.path)/model"
        try TinyModel().write(to: directory)
    }

    private func rename(_ old: String, _ new: String) throws {
        try FileManager.default.moveItem(atPath: "\(directory)/\(old)", toPath: "\(directory)/\(new)")
    }

    private func sample(_ arguments: String...) throws -> Command.Result {
        try place.start(
            place.sampling(["--model", "model", "--seed", "1", "--class", "0", "--force"] + arguments)
        ).wait()
    }

    @Test func `the only variant draws the same image as the plain file`() throws {
        try sample("-o", "a.png").expectSuccess()
        try rename("model.safetensors", "model.fp16.safetensors")
        try sample("-o", "b.png").expectSuccess()
        try sample("-o", "c.png", "--variant", "fp16").expectSuccess()
        #expect(try place.bytes("a.png") == place.bytes("b.png"))
        #expect(try place.bytes("a.png") == place.bytes("c.png"))
    }

    @Test func `several variants are named, and one that is not there is missing input`() throws {
        try rename("model.safetensors", "model.fp16.safetensors")
        try FileManager.default.copyItem(
            atPath: "\(directory)/model.fp16.safetensors", toPath: "\(directory)/model.ema.safetensors")
        try sample().expectFailure(65, "model", "ema, fp16", "--variant NAME")
        try sample("--variant", "bf16").expectFailure(66, "--variant bf16", "there are ema, fp16")
        try sample("--variant", "ema").expectSuccess()
        try place.run("info", "model").expectFailure(65, "--variant NAME")
        try place.run("info", "model", "--variant", "ema").expectSuccess()
    }

    @Test func `a single file beside an index without its shards is named with it`() throws {
        let index = #"{"weight_map": {"pos_embed": "model-00001-of-00002.safetensors"}}"#
        try Data(index.utf8).write(to: URL(filePath: "\(directory)/model.safetensors.index.json"))
        try sample().expectFailure(
            65, "model.safetensors.index.json", "model-00001-of-00002.safetensors is missing",
            "there is model.safetensors;")
    }

    @Test func `tensors of a relative are refused by name, and so are wrapped ones, with the way out`() throws {
        var model = TinyModel()
        model.add("blocks.0.attn.q_norm.weight", [8])
        try model.write(to: directory)
        try sample().expectFailure(65, "another network", "blocks.0.attn.q_norm.weight")
        model = TinyModel()
        model.tensors = Dictionary(
            uniqueKeysWithValues: model.tensors.map { ("_orig_mod.module.\($0.key)", $0.value) })
        try model.write(to: directory)
        try sample().expectFailure(65, "_orig_mod.module.", "python3 Scripts/convert.py model NEW-DIRECTORY")
        try place.run("info", "model").expectFailure(65, "_orig_mod.module.")
    }

    @Test func `a header with null metadata and tensors that nothing uses draws the same image`() throws {
        try sample("-o", "a.png", "--save-latents", "a.safetensors").expectSuccess()
        let bytes = SpoiltModel.withHeader(of: TinyModel().weights) { header in
            let end =
                header.split(separator: "data_offsets\":[").compactMap { part in
                    part.split(separator: "]").first?.split(separator: ",").last.flatMap { Int($0) }
                }.max() ?? 0
            let unused =
                #""steps":{"dtype":"I64","shape":[0],"data_offsets":[\#(end),\#(end)]},"#
                + #""mask":{"dtype":"NEW","shape":[2],"data_offsets":[\#(end),\#(end + 3)]}"#
            return "{\"__metadata__\":null," + header.trimmingCharacters(in: .whitespaces).dropFirst().dropLast() + ","
                + unused + "}"
        }
        try Data(bytes + [0, 0, 0]).write(to: URL(filePath: "\(directory)/model.safetensors"))
        try sample("-o", "b.png", "--save-latents", "b.safetensors").expectSuccess()
        // 3 x 4 x 4 numbers; the header before them holds the hash of the file.
        #expect(try place.bytes("a.safetensors").suffix(192) == place.bytes("b.safetensors").suffix(192))
    }
}
