import Foundation
import Media
import Testing

/// Clips, as a user meets them.
@Suite struct ClipTests {
    private let place: Workplace

    init() throws {
        place = try Workplace(model: TinyModel.clips(frames: 3))
    }

    private func clip(_ name: String) throws -> Clip { try PNGReader.clip([UInt8](place.bytes(name))) }

    @Test func `a clip is one animated PNG; info tells frames and rate, and --like makes it again`() throws {
        let result = try place.sample("--seed", "4", "--class", "1", "--fps", "12")
        result.expectSuccess()
        #expect(result.outputText == "owl-4.png\n" && place.files == ["owl-4.png"])
        let made = try clip("owl-4.png")
        #expect(made.frames.count == 3 && made.framesPerSecond == 12)
        #expect(made.frames[0].width == 4 && made.frames[0] != made.frames[1])
        let info = try place.run("info", "owl-4.png")
        info.expectSuccess()
        #expect(info.outputLines.contains { $0.hasPrefix("frames ") && $0.hasSuffix(" 3, 12 a second") })
        let json = try place.run("info", "owl-4.png", "--log", "json")
        let fields = try #require(try JSONSerialization.jsonObject(with: json.output) as? [String: Any])
        #expect(fields["frames"] as? Int == 3)
        #expect((fields["record"] as? [String: Any])?["framesPerSecond"] as? Int == 12)
        try place.sample("--like", "owl-4.png", "-o", "again.apng").expectSuccess()
        #expect(try place.bytes("again.apng") == place.bytes("owl-4.png"))
        try place.sample("--like", "owl-4.png", "-o", "slow.png", "--fps", "1").expectSuccess()
        #expect(try clip("slow.png") == Clip(made.frames, framesPerSecond: 1))
    }

    @Test func `the rate is 8 unless something else is said, and a clip that is there is left`() throws {
        try place.sample("--seed", "4", "-o", "x.png").expectSuccess()
        #expect(try clip("x.png").framesPerSecond == 8)
        let again = try place.sample("--seed", "4", "-o", "x.png", "--fps", "8", "--log", "json")
        #expect(again.status == 0 && again.outputText.contains(#""skipped":true"#))
        try place.sample("--seed", "4", "-o", "x.png", "--fps", "9").expectFailure(73, "x.png", "--force")
        #expect(try clip("x.png").framesPerSecond == 8)
    }

    @Test func `numbered frames are told path by path, and hold what the clip holds`() throws {
        let names = (0..<3).map { "owl-000\($0).png" }
        let arguments = place.sampling(["--seed", "4", "--class", "1", "-o", "owl-{frame}.png"])
        let planned = try place.start(arguments + ["--dry-run"]).wait()
        #expect(Array(planned.outputLines.suffix(3)) == names && place.files.isEmpty)
        let result = try place.start(arguments).wait()
        result.expectSuccess()
        #expect(result.outputLines == names && place.files == names)
        let json = try place.start(arguments + ["--log", "json"]).wait()
        let event = try #require(try JSONSerialization.jsonObject(with: json.output) as? [String: Any])
        #expect(event["files"] as? [String] == names && event["skipped"] as? Bool == true)
        try place.sample("--seed", "4", "--class", "1", "-o", "owl.png").expectSuccess()
        #expect(try clip("owl.png").frames == names.map { try PNGReader.decode([UInt8](place.bytes($0))) })
        let info = try place.run("info", names[2])
        #expect(info.outputLines.contains { $0.hasPrefix("frame ") && $0.hasSuffix(" 2") })
        // A frame says how to make its whole clip.
        try place.sample("--like", names[2], "-o", "again.png").expectSuccess()
        #expect(try place.bytes("again.png") == place.bytes("owl.png"))
        try place.sample("--seed", "4", "--class", "1", "-o", "{frame}.ppm").expectSuccess()
        #expect(try PPM.decode([UInt8](place.bytes("0001.ppm"))) == clip("owl.png").frames[1])
    }

    @Test func `a Y4M goes to a file or to standard output`() throws {
        try place.sample("--seed", "4", "-o", "x.y4m", "--fps", "24").expectSuccess()
        let streamed = try place.sample("--seed", "4", "-o", "-", "--format", "y4m", "--fps", "24")
        streamed.expectSuccess()
        #expect(try streamed.output == place.bytes("x.y4m"))
        #expect(streamed.output.starts(with: Data("YUV4MPEG2 W4 H4 F24:1 Ip A1:1 C444 ".utf8)))
        let again = try place.sample("--seed", "4", "-o", "x.y4m", "--fps", "24", "--log", "json")
        #expect(again.status == 0 && again.outputText.contains(#""skipped":true"#))
        try place.run("info", "x.y4m").expectFailure(65, "keeps only the hash")
        try place.sample("--seed", "4", "-o", "-").expectSuccess()
        let command = "sample --model \"$TINY\" --steps 1 --seed 1 -o - --format"
        for format in ["y4m", "png"] {
            let gone = try place.shell("{ sleep 0.3; \"$OMNICACHE\" \(command) \(format); echo $? >&2; } | true")
            #expect(gone.errorText == "\(128 + SIGPIPE)\n")
        }
    }

    @Test func `several clips play in one grid, and the frames of one stand on a contact sheet`() throws {
        try place.sample("--seed", "4", "--count", "4", "--grid", "2", "-o", "grid.png").expectSuccess()
        let grid = try clip("grid.png")
        #expect(grid.frames.count == 3 && grid.frames[0].width == 2 + 2 * (4 + 2))
        try place.sample("--seed", "4", "--grid", "2", "-o", "sheet.ppm").expectSuccess()
        #expect(try PPM.decode([UInt8](place.bytes("sheet.ppm"))).height == 2 + 2 * (4 + 2))
        try place.sample("--like", "grid.png", "-o", "again.png").expectSuccess()
        #expect(try place.bytes("again.png") == place.bytes("grid.png"))
    }

    @Test func `what cannot hold a clip is refused before anything is made`() throws {
        try place.sample("--seed", "1", "-o", "x.ppm").expectFailure(64, "x.ppm", "{frame}", ".y4m")
        try place.sample("--seed", "1", "-o", "x.mp4").expectFailure(64, "mp4", "ffmpeg")
        try place.sample("--seed", "1", "--fps", "0").expectFailure(64, "--fps 0", "1 to 120")
        try place.sample("--seed", "1", "-o", "{frame}.y4m").expectFailure(64, "{frame}", "y4m")
        try place.sample("--seed", "1", "-o", "x.png", "--format", "y4m").expectFailure(64, "--format y4m contradicts")
        try place.sample("--seed", "1", "--shard", "0/1", "-o", "{frame}.png").expectFailure(64, "manifest", "{frame}")
        try place.sample("--seed", "1", "--count", "2", "-o", "-", "--format", "y4m").expectFailure(64, "--grid")
        try place.sample("--seed", "1", "--count", "2", "-o", "{frame}.png").expectFailure(64, "images 0 and 1")
        #expect(place.files.isEmpty)
    }

    @Test func `an image model is no model of clips`() throws {
        let images = try Workplace()
        try images.sample("--seed", "1", "--fps", "8").expectFailure(64, "--fps 8", "draws images, not clips")
        for output in ["x.y4m", "x.apng"] {
            try images.sample("--seed", "1", "-o", output).expectFailure(64, output, "draws images, not clips")
        }
        try images.sample("--seed", "1", "-o", "-", "--format", "y4m").expectFailure(64, "--output -", "not clips")
        try images.sample("--seed", "1", "-o", "{frame}.png").expectFailure(64, "{frame}", "not clips")
        #expect(images.files.isEmpty)
    }

    @Test func `a comparison has flicker for clips and shows them moving; one of images has neither`() throws {
        func compare(_ place: Workplace) throws -> (text: String, page: String, json: String) {
            let result = try place.run(
                "compare", "--model", place.modelPath, "--steps", "4", "--strategies", "fora", "--budgets", "0.5",
                "--count", "2", "--no-timing", "-t", "1", "-o", "c")
            #expect(result.status == 0, "\(result.errorText)")
            return (
                result.outputText + result.errorText, String(decoding: try place.bytes("c.html"), as: UTF8.self),
                String(decoding: try place.bytes("c.json"), as: UTF8.self)
            )
        }
        let clips = try compare(place)
        #expect(clips.text.contains("flicker %") && clips.text.contains("means over its frames"))
        #expect(clips.page.contains("flicker %") && clips.json.contains(#""flicker":"#))
        let images = try compare(Workplace())
        #expect(![images.text, images.page, images.json].contains { $0.contains("flicker") })
        func pictures(_ page: String) throws -> [Clip] {
            try page.components(separatedBy: "data:image/png;base64,").dropFirst().map {
                try PNGReader.clip([UInt8](#require(Data(base64Encoded: String($0.prefix { $0 != "\"" })))))
            }
        }
        #expect(try pictures(clips.page).allSatisfy { $0.frames.count == 3 } && !pictures(clips.page).isEmpty)
        #expect(try pictures(images.page).allSatisfy { !$0.moves } && !pictures(images.page).isEmpty)
    }

    @Test func `batches of clips go on, and are compared and analysed by their files`() throws {
        for (folder, budget) in [("full", "1"), ("half", "0.5")] {
            try place.shell("mkdir \(folder)").expectSuccess()
            for shard in ["0/2", "1/2"] {
                let result = try place.sample(
                    "--steps", "6", "--planner", "uniform", "--forecaster", "taylor:1", "--budget", budget, "--seed",
                    "4", "--count", "4", "--shard", shard, "-o", "\(folder)/{index}.png")
                #expect(result.status == 0, "\(result.errorText)")
            }
        }
        #expect(place.files.filter { $0.hasSuffix(".png") }.count == 8)
        let compared = try place.run("compare", "full", "half")
        #expect(compared.status == 0 && compared.outputText.contains("flicker %"), "\(compared.errorText)")
        let analysed = try place.run("analyze", "full")
        #expect(analysed.status == 0 && analysed.errorText.contains("all frames of a clip"))
    }
}
