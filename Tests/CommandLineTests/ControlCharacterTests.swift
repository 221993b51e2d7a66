import Foundation
import Media
import Reports
import Testing

/// Names from files that steer a terminal or end a text early.
@Suite struct ControlCharacterTests {
    private static func steers(_ data: Data) -> Bool {
        String(decoding: data, as: UTF8.self).unicodeScalars.contains { scalar in
            scalar != "\n" && (scalar.properties.generalCategory == .control || scalar == "\u{202E}")
        }
    }

    @Test(arguments: ["a\u{0}b", "\u{1B}[31mred", "two\nlines", "\u{9B}1m", "c\u{202E}gnp", "p\u{2029}q", "del\u{7F}"])
    func `a class's name that cannot be printed is refused before anything is sampled`(name: String) throws {
        var model = TinyModel()
        model.config["class_names"] = ["red fox", name, "hermit crab"]
        let place = try Workplace(model: model)
        for arguments in [place.sampling(["--class", "0"]), ["info", place.modelPath], place.sampling(["--dry-run"])] {
            let result = try place.start(arguments).wait()
            result.expectFailure(65, "config.json", "class_names[1] holds the control character U+")
        }
        #expect(place.files.isEmpty)
    }

    @Test func `a model whose directory has such a name is told of without its characters, by text, JSON and PNG`()
        throws
    {
        let place = try Workplace()
        let name = "ti\u{1B}[31mny\u{9B}\u{202E}"
        let path = URL(filePath: place.modelPath).deletingLastPathComponent().appending(path: name).path
        try FileManager.default.moveItem(atPath: place.modelPath, toPath: path)
        try place.sample("--model", path, "--class", "owl", "--seed", "1", "-q", "-o", "a.png").expectSuccess()
        for arguments in [["info", "a.png"], ["info", path], ["info", "a.png", "--log", "json"]] {
            let result = try place.start(arguments).wait()
            result.expectSuccess()
            #expect(!Self.steers(result.output), "\(arguments)")
            #expect(result.outputText.contains("[31mny"))
        }
        let texts = try PNGReader.text(in: [UInt8](place.bytes("a.png")))
        let parameters = try #require(texts.first { $0.keyword == "parameters" })
        #expect(parameters.text.contains("Model: ti\\u{1b}[31mny\\u{9b}\\u{202e}"), "\(parameters.text)")
        let missing = try place.start(place.sampling(["--model", path + "\n"])).wait()
        #expect(missing.status == 66 && !Self.steers(Data(missing.errorText.utf8)))
    }
}
