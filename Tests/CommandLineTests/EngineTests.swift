import Compute
import Foundation
import Media
import Testing

/// `--engine` and `--precision`.
@Suite struct EngineTests {
    private static let isThere = (try? OneDNN.open()) != nil

    /// What a PNG says of itself.
    private func record(_ image: String, in place: Workplace) throws -> String {
        try place.run("info", image, "--log", "json").outputText
    }

    @Test func `by default nothing is said of engines, and asking for the default changes no byte`() throws {
        let place = try Workplace()
        try place.sample("--seed", "1", "-o", "a.png").expectSuccess()
        for options in [["--engine", "openblas"], ["--precision", "float32"]] {
            try place.start(place.sampling(["--seed", "1", "-o", "b.png", "--force"] + options)).wait().expectSuccess()
            #expect(try place.bytes("b.png") == place.bytes("a.png"))
        }
        let text = try record("a.png", in: place)
        #expect(!text.contains("arithmetic") && !text.contains("onednn"))
    }

    @Test func `an engine that is not there, or has no such precision, is refused with what to do`() throws {
        let place = try Workplace()
        try place.sample("--seed", "1", "--engine", "openblas", "--precision", "int8")
            .expectFailure(64, "--precision int8", "OpenBLAS", "float32")
        // The loader takes the first file of the name, whatever is in it.
        try FileManager.default.createDirectory(atPath: "\(place.path)/none", withIntermediateDirectories: true)
        for version in 2...3 { try place.write([1], to: "none/libdnnl.so.\(version)") }
        let without = ["LD_LIBRARY_PATH": "\(place.path)/none"]
        let sample = #"exec "$OMNICACHE" sample --model "$TINY" --steps 2 --seed 1 -o a.png"#
        for options in ["--engine onednn", "--precision bfloat16"] {
            try place.shell("\(sample) \(options)", environment: without)
                .expectFailure(71, "oneDNN cannot be used", "libdnnl")
        }
        let fallen = try place.shell("\(sample) --engine auto", environment: without)
        #expect(fallen.status == 0 && fallen.errorText.contains("OpenBLAS multiplies: oneDNN cannot be used"))
        let info = try place.shell(#"exec "$OMNICACHE" info"#, environment: without)
        #expect(info.status == 0 && info.outputText.contains("oneDNN cannot be used"))
        #expect(info.outputText.contains("openblas float32"))
    }

    @Test(.enabled(if: isThere, "no oneDNN on this machine"), arguments: OneDNN.precisions)
    func `an image tells its engine, and is made again with it`(precision: Precision) throws {
        let place = try Workplace()
        try place.sample("--seed", "1", "-o", "standard.png").expectSuccess()
        let options = ["--engine", "onednn", "--precision", precision.rawValue]
        try place.start(place.sampling(["--seed", "1", "-o", "a.png"] + options)).wait().expectSuccess()
        let text = try record("a.png", in: place)
        #expect(text.contains(#""engine" : "onednn""#) && text.contains(#""precision" : "\#(precision.rawValue)""#))
        try place.sample("--like", "a.png", "-o", "b.png", "--threads", "2").expectSuccess()
        #expect(try place.bytes("b.png") == place.bytes("a.png"))
        // Another engine is another image, which does not stand for the one that was asked for.
        try place.start(place.sampling(["--seed", "1", "-o", "standard.png"] + options)).wait()
            .expectFailure(73, "standard.png")
    }

    @Test(.enabled(if: isThere, "no oneDNN on this machine"), arguments: OneDNN.precisions)
    func `images of the embedded model are near those of the standard`(precision: Precision) throws {
        let place = try Workplace()
        let other = ["--engine", "onednn", "--precision", precision.rawValue]
        for (name, options) in [("standard", []), ("other", other)] {
            let arguments = ["sample", "--class", "3", "--seed", "1000001", "--steps", "5", "-o", "\(name).png"]
            try place.start(arguments + options).wait().expectSuccess()
        }
        let images = try ["other.png", "standard.png"].map { try PNGReader.decode([UInt8](place.bytes($0))) }
        let least = [Precision.float32: 60.0, .bfloat16: 40, .int8: 30][precision] ?? .infinity
        #expect(try ImageMetrics.psnr(images[0], images[1]) >= least)
    }

    @Test(.enabled(if: isThere, "no oneDNN on this machine"))
    func `a plan for one engine is not used with another`() throws {
        let place = try Workplace()
        let plan = [
            "plan", "--model", place.modelPath, "--steps", "8", "--budget", "0.5", "--planner", "uniform",
            "--forecaster", "hold", "-o", "plan.json",
        ]
        _ = try place.start(plan).wait()
        try place.start(place.sampling(["--seed", "1", "--steps", "8", "--plan", "plan.json", "--engine", "onednn"]))
            .wait().expectFailure(65, "openblas float32", "onednn float32")
    }

    @Test(.enabled(if: isThere, "no oneDNN on this machine"))
    func `compare tries every strategy in other precisions, against uncached images of the standard`() throws {
        let place = try Workplace()
        let precision = OneDNN.precisions.contains(.bfloat16) ? "bfloat16" : "float32"
        let result = try place.run(
            "compare", "--model", place.modelPath, "--steps", "8", "--count", "2", "--budgets", "0.5", "--strategies",
            "uniform+taylor:2", "--threads", "1", "--precisions", "float32,\(precision)", "-q")
        result.expectSuccess()
        guard precision == "bfloat16" else { return }
        #expect(result.outputText.contains("uncached, bfloat16") && result.outputText.contains("taylor:2, bfloat16"))
        try place.run("compare", "--model", place.modelPath, "--precisions", "float8")
            .expectFailure(64, "'float8' is not one of float32, bfloat16, int8")
    }

    @Test(.enabled(if: isThere, "no oneDNN on this machine"), arguments: OneDNN.precisions)
    func `bench measures an engine beside its own bare products`(precision: Precision) throws {
        let place = try Workplace()
        let result = try place.run(
            "bench", "--model", place.modelPath, "--repeats", "1", "--engine", "onednn", "--precision",
            precision.rawValue, "--log", "json")
        result.expectSuccess()
        #expect(result.outputText.contains(#""precision":"\#(precision.rawValue)""#))
    }
}
