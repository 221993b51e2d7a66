import Foundation
import Media
import Reports
import Testing

/// Where images go, and what happens to what is there already.
@Suite struct OutputTests {
    @Test func `a pattern's placeholders are class, seed and index`() throws {
        let place = try Workplace()
        let result = try place.sample(
            "--seed", "7", "--count", "3", "--class", "all", "-o", "{index}_{class}_{seed}.png")
        result.expectSuccess()
        #expect(place.files == ["000000_red-fox_7.png", "000001_owl_8.png", "000002_hermit-crab_9.png"])
        #expect(result.outputLines == place.files)
    }

    @Test func `a pattern that gives two images one name is refused`() throws {
        let place = try Workplace()
        try place.sample("--seed", "1", "--count", "2", "--class", "0", "-o", "{class}.png")
            .expectFailure(64, "images 0 and 1", "red-fox.png", "{seed}")
        #expect(place.files.isEmpty)
    }

    @Test(arguments: ["{klass}.png", "{seed", "", "folder/"])
    func `a pattern that makes no sense is refused`(pattern: String) throws {
        let place = try Workplace()
        try place.sample("--seed", "1", "-o", pattern).expectFailure(64, "--output '\(pattern)'")
        #expect(place.files.isEmpty)
    }

    @Test func `a path that promises another format is refused`() throws {
        let place = try Workplace()
        try place.sample("--seed", "1", "-o", "x.jpg").expectFailure(64, "jpg", ".png")
        #expect(place.files.isEmpty)
    }

    @Test func `-o - writes one PNG to standard output and nothing else anywhere`() throws {
        let place = try Workplace()
        let result = try place.sample("--seed", "4", "--class", "1", "-o", "-")
        result.expectSuccess()
        #expect(place.files.isEmpty)
        try place.sample("--seed", "4", "--class", "1").expectSuccess()
        #expect(try result.output == place.bytes("owl-4.png"))
        try place.sample("--seed", "4", "--count", "2", "-o", "-").expectFailure(64, "--output -", "--grid")
    }

    @Test func `a grid to standard output is one PNG`() throws {
        let place = try Workplace()
        let result = try place.sample("--seed", "4", "--count", "4", "--grid", "2", "-o", "-", "--log", "json")
        #expect(try PNGReader.decode([UInt8](result.output)).width == 14)
        #expect(place.files.isEmpty)
    }

    @Test func `a PPM has the pixels of the PNG, and the settings hash as its comment`() throws {
        let place = try Workplace()
        try place.sample("--seed", "4", "--class", "1").expectSuccess()
        try place.sample("--seed", "4", "--class", "1", "--format", "ppm").expectSuccess()
        #expect(place.files == ["owl-4.png", "owl-4.ppm"])
        let file = [UInt8](try place.bytes("owl-4.ppm"))
        #expect(try PPM.decode(file) == PNGReader.decode([UInt8](place.bytes("owl-4.png"))))
        let info = try place.run("info", "owl-4.png", "--log", "json")
        let metadata = try #require(try JSONSerialization.jsonObject(with: info.output) as? [String: Any])
        let hash = try #require(metadata["settingsHash"] as? String)
        #expect(try PPM.comments(in: file) == ["omnicache settings \(hash)"])
    }

    @Test func `the ending of the path decides the format, and may not be contradicted`() throws {
        let place = try Workplace()
        try place.sample("--seed", "4", "-o", "image.ppm").expectSuccess()
        #expect(try place.bytes("image.ppm").starts(with: Data("P6\n".utf8)))
        try place.sample("--seed", "4", "-o", "other.ppm", "--format", "png").expectFailure(64, "--format", "other.ppm")
        #expect(place.files == ["image.ppm"])
    }

    @Test(arguments: ["png", "ppm"])
    func `an image that is there already is left and counts as done`(format: String) throws {
        let place = try Workplace()
        let arguments = place.sampling(["--seed", "1", "--count", "2", "--class", "0", "--format", format])
        try place.start(arguments).wait().expectSuccess()
        let name = "red-fox-2.\(format)"
        let before = try Self.identity(of: "\(place.path)/\(name)")
        try FileManager.default.removeItem(atPath: "\(place.path)/red-fox-1.\(format)")
        let again = try place.start(arguments + ["--log", "json"]).wait()
        #expect(again.status == 0)
        #expect(again.outputLines.count == 2 && again.outputLines.filter { $0.contains(#""skipped":true"#) }.count == 1)
        #expect(place.files == ["red-fox-1.\(format)", name])
        #expect(try Self.identity(of: "\(place.path)/\(name)") == before)
    }

    @Test func `another file in the way is refused before anything is made`() throws {
        let place = try Workplace()
        try place.write("precious".utf8, to: "red-fox-2.png")
        try place.sample("--seed", "1", "--count", "2", "--class", "0").expectFailure(73, "red-fox-2.png", "--force")
        #expect(place.files == ["red-fox-2.png"])
        #expect(try place.bytes("red-fox-2.png") == Data("precious".utf8))
    }

    @Test func `an image of other settings is another file, and --force replaces it`() throws {
        let place = try Workplace()
        try place.sample("--seed", "1", "--class", "0", "-o", "x.png").expectSuccess()
        let first = try place.bytes("x.png")
        try place.sample("--seed", "1", "--class", "0", "-o", "x.png", "--steps", "3").expectFailure(73, "x.png")
        #expect(try place.bytes("x.png") == first)
        try place.sample("--seed", "1", "--class", "0", "-o", "x.png", "--steps", "3", "--force").expectSuccess()
        #expect(try place.bytes("x.png") != first)
        #expect(place.files == ["x.png"])
    }

    @Test func `a dry run says what it would cost and writes nothing`() throws {
        let place = try Workplace()
        let guided = try place.sample(
            "--steps", "50", "--seed", "1", "--class", "0", "--dry-run", "--log", "json")
        let cost = try JSONDecoder().decode(DryRunReport.self, from: guided.output)
        #expect(cost == DryRunReport(evaluations: 100, evaluationsFull: 100, files: ["red-fox-1.png"]))
        let text = try place.sample("--steps", "50", "--seed", "1", "--class", "0", "--dry-run")
        #expect(text.outputText.contains("100 of 100 evaluations") && text.outputLines.last == "red-fox-1.png")
        #expect(place.files.isEmpty)
    }

    @Test(arguments: [("ddim", 50), ("dpm++2m", 50), ("heun", 99)])
    func `a guidance scale of 1 evaluates one branch`(sampler: String, calls: Int) throws {
        let place = try Workplace()
        func evaluations(_ scale: String) throws -> Int {
            let report = try place.sample(
                "--steps", "50", "--seed", "1", "--sampler", sampler, "--cfg-scale", scale, "--dry-run", "--log", "json"
            )
            return try JSONDecoder().decode(DryRunReport.self, from: report.output).evaluations
        }
        #expect(try evaluations("1") == calls)
        #expect(try evaluations("2") == 2 * calls)
        #expect(try evaluations("-1") == 2 * calls)
    }

    @Test func `a model without a null class samples unguided only`() throws {
        let place = try Workplace(model: TinyModel(hasNullClass: false))
        try place.sample("--seed", "1", "--cfg-scale", "1").expectSuccess()
        let made = place.files
        try place.sample("--seed", "2", "--cfg-scale", "2").expectFailure(64, "null class", "--cfg-scale 1")
        #expect(place.files == made)
    }

    @Test func `what is not asked for fits the model: Euler for flows, no guidance without a null class`() throws {
        var model = TinyModel(hasNullClass: false)
        model.config["prediction_type"] = "flow"
        let place = try Workplace(model: model)
        let report = try place.sample("--seed", "1", "--dry-run", "--log", "json")
        report.expectSuccess()
        #expect(report.outputText.contains(#""sampler":"euler""#))
        #expect(report.outputText.contains(#""guidanceScale":1"#))
        try place.sample("--seed", "1", "--class", "owl").expectSuccess()
        #expect(place.files == ["owl-1.png"])
    }

    @Test func `an image of the same weights under another config.json is not taken for this one`() throws {
        var model = TinyModel()
        let place = try Workplace(model: model)
        try place.sample("--seed", "1", "--class", "owl").expectSuccess()
        model.config["num_heads"] = 4
        try model.write(to: place.modelPath)
        try place.sample("--seed", "1", "--class", "owl").expectFailure(73, "owl-1.png")
        try place.sample("--like", "owl-1.png", "-o", "again.png").expectFailure(65, "config.json")
        model.config["num_heads"] = 2
        model.config["guidance_scale"] = 3
        try model.write(to: place.modelPath)
        try place.sample("--like", "owl-1.png", "-o", "again.png").expectSuccess()
        #expect(try place.bytes("again.png") == place.bytes("owl-1.png"))
    }

    private struct DryRunReport: Decodable, Equatable {
        let evaluations: Int
        let evaluationsFull: Int
        let files: [String]
    }

    /// Inode and time of change.
    private static func identity(of path: String) throws -> [String] {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        let changed = attributes[.modificationDate] as? Date
        return ["\(attributes[.systemFileNumber] ?? "")", "\(changed?.timeIntervalSince1970 ?? 0)"]
    }
}
