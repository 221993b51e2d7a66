import Foundation
import Media
import TestSupport
import Testing

/// Prompts on the command line, with a tiny text-to-image model.
@Suite struct PromptTests {
    /// A place with the model in its folder `text`.
    private func workplace(network: String = "transformer") throws -> Workplace {
        let place = try Workplace()
        try TinyTextModel.write(to: "\(place.path)/text", network: network)
        return place
    }

    private static let model = ["--model", "text"]

    /// Runs `sample` on the text model.
    private func sample(_ arguments: String..., in place: Workplace) throws -> Command.Result {
        try place.start(place.sampling(Self.model + arguments)).wait()
    }

    @Test func `a prompt makes a picture that says so, and is made again from it`() throws {
        let place = try workplace()
        let first = try sample("--prompt", "a red fox", "--seed", "3", in: place)
        #expect(first.status == 0 && first.outputLines == ["a-red-fox-3.png"])
        let texts = try PNGReader.text(in: [UInt8](place.bytes("a-red-fox-3.png")))
        let parameters = try #require(texts.first { $0.keyword == "parameters" }?.text)
        #expect(parameters.hasPrefix("a red fox\nSteps: 2"))
        try place.run("sample", "--like", "a-red-fox-3.png", "--model", "text", "-o", "b.png").expectSuccess()
        #expect(try place.bytes("b.png") == place.bytes("a-red-fox-3.png"))
        let info = try place.run("info", "a-red-fox-3.png")
        #expect(info.outputText.contains("prompt 'a red fox' seed 3"))
    }

    @Test func `prompts, seeds and negative prompts all count`() throws {
        let place = try workplace()
        var pictures: Set<Data> = []
        for (index, options) in [
            ["--prompt", "a red fox", "--seed", "3"], ["--prompt", "a fox", "--seed", "3"],
            ["--prompt", "a red fox", "--seed", "4"],
            ["--prompt", "a red fox", "--seed", "3", "--negative-prompt", "a fox"],
        ].enumerated() {
            let result = try place.start(place.sampling(Self.model + options + ["-o", "\(index).ppm"])).wait()
            #expect(result.status == 0)
            pictures.insert(try place.bytes("\(index).ppm"))
        }
        #expect(pictures.count == 4)
        let negative = try sample(
            "--prompt", "a fox", "--negative-prompt", "red", "--seed", "1", "-o", "n.png", in: place)
        #expect(negative.status == 0)
        let texts = try PNGReader.text(in: [UInt8](place.bytes("n.png")))
        let parameters = try #require(texts.first { $0.keyword == "parameters" }?.text)
        #expect(parameters.hasPrefix("a fox\nNegative prompt: red\nSteps: 2"))
    }

    @Test func `images go through several prompts, and those of a file, in turn`() throws {
        let place = try workplace()
        let several = try sample("--prompt", "a fox", "--prompt", "red", "--count", "3", "--seed", "1", in: place)
        #expect(several.outputLines == ["a-fox-1.png", "red-2.png", "a-fox-3.png"])
        try place.write("a fox\n\n  red  \n".utf8, to: "list.txt")
        let file = try sample("--prompt-file", "list.txt", "--seed", "1", "-o", "{index}-{prompt}.png", in: place)
        #expect(file.outputLines.count == 2)
        #expect(try place.bytes(file.outputLines[0]) == place.bytes("a-fox-1.png"))
        try place.write(#"{"prompt": "red", "seed": 2, "negative-prompt": "fox"}"#.utf8, to: "list.json")
        let batch = try sample("--batch", "list.json", in: place)
        #expect(batch.status == 0 && batch.outputLines == ["000000.png"])
        #expect(try place.bytes("000000.png") != place.bytes("red-2.png"))
    }

    @Test func `the states of a prompt are kept: the second process does not need the encoder`() throws {
        let place = try workplace()
        let cache = ["XDG_CACHE_HOME": "\(place.path)/cache"]
        let script = #"exec "$OMNICACHE" sample --model text --steps 2 --seed 1 --prompt "a fox" --force -o"#
        #expect(try place.shell("\(script) a.png", environment: cache).status == 0)
        let kept = place.files.filter { $0.hasPrefix("cache/omnicache/embeddings/") }
        #expect(kept.count == 1)
        #expect(try place.shell("\(script) b.png", environment: cache).status == 0)
        #expect(try place.bytes("a.png") == place.bytes("b.png"))
    }

    @Test func `what the model does not read is told`() throws {
        let place = try workplace()
        let long = try sample("--prompt", "a red fox a red fox a red fox", "--seed", "1", "-o", "a.png", in: place)
        #expect(long.status == 0 && long.errorText.contains("the model reads 6 tokens; cut off: '"))
        let strange = try sample("--prompt", "a 狐 fox", "--seed", "1", "-o", "b.png", in: place)
        #expect(strange.status == 0 && strange.errorText.contains("not in the model's vocabulary: '狐'"))
        try sample("--prompt", "狐 熊", "--seed", "1", "-o", "c.png", in: place)
            .expectFailure(64, "knows no word of the prompt '狐 熊'")
    }

    @Test func `what cannot be a prompt is refused`() throws {
        let place = try workplace()
        try sample("--prompt", " ", in: place).expectFailure(64, "--prompt: the prompt is empty")
        try sample("--prompt", "a\u{7}fox", in: place).expectFailure(64, "control character U+0007")
        try sample(in: place).expectFailure(64, "draws what a prompt says; give --prompt")
        try sample("--class", "0", in: place).expectFailure(64, "draws prompts, not classes")
        try sample("--prompt", "a", "--prompt-file", "x", in: place).expectFailure(64, "drop one of them")
        try sample("--prompt-file", "none.txt", in: place).expectFailure(66, "none.txt: no such file")
        try place.sample("--prompt", "a fox").expectFailure(64, "draws classes, not prompts")
        try place.write("a fox\na\u{1}b\n".utf8, to: "bad.txt")
        try sample("--prompt-file", "bad.txt", in: place).expectFailure(65, "bad.txt:2:1", "U+0001")
        try place.write("{\"class\": 1, \"seed\": 1}".utf8, to: "classes.json")
        try sample("--batch", "classes.json", in: place).expectFailure(65, "a class, but the model draws prompts")
        try place.write("{\"seed\": 1}".utf8, to: "bare.json")
        try sample("--batch", "bare.json", in: place).expectFailure(65, "no prompt")
    }

    @Test func `a model without its text encoder says where it comes from, and takes another`() throws {
        let place = try workplace()
        let files = FileManager.default
        try files.moveItem(atPath: "\(place.path)/text/text_encoder", toPath: "\(place.path)/t5")
        try sample("--prompt", "a fox", in: place).expectFailure(66, "text_encoder: no such directory")
        try files.moveItem(atPath: "\(place.path)/text/tokenizer", toPath: "\(place.path)/tokenizer")
        try sample("--prompt", "a fox", "--seed", "1", in: place).expectFailure(65, "no text encoder", "--text-encoder")
        let given = try sample("--prompt", "a fox", "--text-encoder", "t5", "--seed", "1", in: place)
        #expect(given.status == 0)
        try place.sample("--text-encoder", "t5").expectFailure(64, "draws classes, not prompts")
    }

    @Test func `a size that the model cannot draw is refused, and its own is no other`() throws {
        let place = try workplace()
        let plain = try sample("--prompt", "a fox", "--seed", "1", "-o", "a.png", in: place)
        let own = try sample(
            "--prompt", "a fox", "--seed", "1", "--width", "8", "--height", "8", "-o", "b.png", in: place)
        #expect(plain.status == 0 && own.status == 0)
        #expect(try place.bytes("a.png") == place.bytes("b.png"))
        try sample("--prompt", "a fox", "--width", "16", "--height", "8", in: place)
            .expectFailure(64, "--width 16 --height 8", "cannot draw 16 x 8")
        try sample("--prompt", "a fox", "--width", "8", in: place).expectFailure(64, "give both")
    }

    @Test func `a variant's folder has the rest of its model around it`() throws {
        let place = try workplace(network: "minit2i-b-16/transformer")
        let whole = try sample("--prompt", "a fox", "--seed", "1", "-o", "a.png", in: place)
        #expect(whole.status == 0)
        let part = try place.start(
            place.sampling(["--model", "text/minit2i-b-16", "--prompt", "a fox", "--seed", "1", "-o", "b.png"])
        ).wait()
        #expect(part.status == 0)
        #expect(try PNGReader.decode([UInt8](place.bytes("a.png"))) == PNGReader.decode([UInt8](place.bytes("b.png"))))
        try FileManager.default.copyItem(
            atPath: "\(place.path)/text/minit2i-b-16", toPath: "\(place.path)/text/minit2i-l-16")
        try sample("--prompt", "a fox", in: place)
            .expectFailure(64, "minit2i-b-16, minit2i-l-16", "--model text/minit2i-b-16")
    }

    @Test func `requests on standard input are answered one by one`() throws {
        let place = try workplace()
        let requests = [
            #"{"prompt": "a fox", "seed": 1}"#, "", "no object", #"{"prompt": "red", "seed": 2, "steps": 3}"#,
            #"{"prompt": "a fox", "colour": 3}"#,
        ]
        try place.write((requests.joined(separator: "\n") + "\n").utf8, to: "requests")
        let result = try place.shell(
            #"exec "$OMNICACHE" sample --model text --steps 2 --batch - -o '{index}.png' < requests"#)
        #expect(result.status == 65 && result.errorText == "omnicache: 2 of 4 requests failed; their answers say why\n")
        struct Answer: Decodable {
            let event: String
            let request: Int
            let file: String?
            let message: String?
            let evaluations: Int?
        }
        let answers = try result.outputLines.map { try JSONDecoder().decode(Answer.self, from: Data($0.utf8)) }
        #expect(answers.map(\.request) == [0, 1, 2, 3])
        #expect(answers.map(\.event) == ["image", "error", "image", "error"])
        #expect(answers.map(\.file) == ["000000.png", nil, "000002.png", nil])
        #expect(answers[0].evaluations == 4 && answers[2].evaluations == 6)
        #expect(try #require(answers[3].message).contains("colour"))
        let alone = try sample("--prompt", "a fox", "--seed", "1", "-o", "alone.png", in: place)
        #expect(alone.status == 0)
        #expect(try place.bytes("alone.png") == place.bytes("000000.png"))
        try sample("--batch", "-", "--grid", "2", in: place).expectFailure(64, "drop --grid")
    }

    @Test func `a model of prompts is calibrated on its examples or on others, and reuses`() throws {
        let place = try workplace()
        try place.write("a fox\na red fox\nred\nfox\n".utf8, to: "text/prompts.txt")
        let cached = try sample(
            "--prompt", "a fox", "--seed", "1", "--steps", "12", "--budget", "0.5", "-o", "a.png", in: place)
        #expect(cached.status == 0, "\(cached.errorText)")
        try place.write("red\na fox\nred fox\na red fox\n".utf8, to: "own.txt")
        let own = try place.run(
            "calibrate", "--model", "text", "--steps", "12", "--prompts", "own.txt", "--budget", "0.5", "--force")
        #expect(own.status == 0, "\(own.errorText)")
        try place.run("calibrate", "--model", "tiny", "--prompts", "own.txt").expectFailure(66, "tiny")
        let compared = try place.run(
            "compare", "--model", "text", "--steps", "12", "--count", "2", "--strategies", "default,uniform+hold",
            "--budgets", "0.5")
        #expect(compared.status == 0, "\(compared.errorText)")
        let analysed = try place.run("analyze", "--model", "text", "--steps", "12", "--prompt", "a fox", "--seed", "1")
        #expect(analysed.status == 0, "\(analysed.errorText)")
    }
}
