import Foundation
import Media
import Models
import PipelineSupport
import Sampling
import Synchronization
import Testing

@testable import Pipeline

/// The files of a model that draws clips.
@Suite(.serialized) struct ClipRunTests {
    private let model: ToyModel
    private let folder: BatchFolder

    init() throws {
        model = try ToyModel(frames: 3)
        folder = try BatchFolder()
    }

    private static let owls = ["two owls", "rain"].enumerated().map {
        SampleItem(condition: .prompt($1), seed: UInt32(7 + $0))
    }

    private func batch(
        _ name: String = "{seed}.png", format: ImageFile.Format = .png, count: Int = 1, of model: ToyModel? = nil,
        _ change: (inout Batch.Output) -> Void = { _ in }
    ) throws -> Batch {
        let model = model ?? self.model
        var output = Batch.Output(pattern: try OutputPattern(folder.path + name), format: format)
        change(&output)
        let schedule = try model.settings.schedule(for: model.directory)
        return try Batch(
            directory: model.directory, items: Array(Self.owls.prefix(count)),
            variants: [SampleVariant(settings: model.settings, schedule: schedule)],
            decoder: model.directory.decoder(.own), output: output)
    }

    /// Makes the files that are missing; returns how many images that were.
    @discardableResult
    private func run(_ batch: Batch) throws -> Int {
        try BatchRun(batch, session: ModelSession(directory: batch.directory)).run().images
    }

    /// What the model draws.
    private func frames(_ item: SampleItem) throws -> [Image] {
        let decoder = try #require(try model.directory.decoder(.own)).load(workers: .init(count: 1))
        return try decoder.decode(try model.sample(item))
    }

    /// The reason for which a batch is refused.
    private func refusal(_ make: () throws -> Batch) -> String {
        do {
            _ = try make()
            return "nothing is refused"
        } catch PipelineError.usage(let message) {
            return message
        } catch {
            return "another kind: \(error)"
        }
    }

    @Test func `a clip is one animated PNG with its settings, found again as done`() throws {
        let batch = try batch { $0.framesPerSecond = 12 }
        #expect(try run(batch) == 1)
        let bytes = try folder.bytes("7.png")
        #expect(try PNGReader.clip(bytes) == Clip(frames(Self.owls[0]), framesPerSecond: 12))
        let record = try ImageMetadata(png: bytes, path: "7.png").record
        #expect(record.framesPerSecond == 12 && record.frame == nil && record.columns == nil)
        #expect(try run(batch) == 0)
        // At another rate it is another file.
        #expect(throws: PipelineError.self) { try run(try self.batch()) }
        #expect(try run(try self.batch { $0.replaces = true }) == 1)
        #expect(try PNGReader.clip(folder.bytes("7.png")).framesPerSecond == 8)
        #expect(try folder.bytes("7.png") != bytes && folder.names == ["7.png"])
    }

    @Test func `the rate is the one asked for, else that of the image to repeat, else the usual one`() throws {
        func rate(_ change: (inout Batch.Output) -> Void) throws -> Int? {
            try batch("x.png", change).targets[0].record.framesPerSecond
        }
        #expect(try rate { _ in } == 8)
        #expect(try rate { $0.usualRate = 24 } == 24)
        #expect(try rate { ($0.framesPerSecond, $0.usualRate) = (5, 24) } == 5)
    }

    @Test(arguments: [ImageFile.Format.png, .ppm])
    func `numbered frames are files of their own, made again where one is missing`(format: ImageFile.Format) throws {
        let batch = try batch("{seed}-{frame}.\(format.rawValue)", format: format)
        let names = (0..<3).map { "7-000\($0).\(format.rawValue)" }
        #expect(batch.targets[0].paths == names.map { folder.path + $0 })
        #expect(try run(batch) == 1 && folder.names == names)
        let files = try names.map(folder.bytes)
        for (file, frame) in zip(files, try frames(Self.owls[0])) { #expect(try format.decode(file) == Clip(frame)) }
        if format == .png {
            #expect(try files.map { try ImageMetadata(png: $0, path: "").record.frame } == [0, 1, 2])
            #expect(try ImageMetadata(png: files[1], path: "").record.framesPerSecond == nil)
        }
        #expect(try run(batch) == 0)
        try folder.remove(names[1])
        #expect(try run(batch) == 1)
        #expect(try names.map(folder.bytes) == files)
        // A frame in the place of another one is another file.
        try folder.write(files[0], to: names[2])
        #expect(throws: PipelineError.self) { try run(batch) }
    }

    @Test func `a Y4M holds the clip, to a file that is found again, and to a stream`() throws {
        let batch = try batch("clip.y4m", format: .y4m) { $0.framesPerSecond = 24 }
        #expect(try run(batch) == 1 && run(batch) == 0)
        let bytes = try folder.bytes("clip.y4m")
        #expect(bytes.starts(with: "YUV4MPEG2 W16 H12 F24:1 Ip A1:1 C444 ".utf8))
        let hash = batch.targets[0].record.settingsHash
        #expect(ImageMetadata.settingsHash(path: folder.path + "clip.y4m").map(hash.hasPrefix) == true)
        try folder.write(Array(bytes.dropLast()), to: "clip.y4m")
        #expect(throws: PipelineError.self) { try run(batch) }
        let streamed = Mutex<[UInt8]>([])
        let stream = try self.batch(format: .y4m) { output in
            output.framesPerSecond = 24
            output.stream = { written in streamed.withLock { $0 = written } }
        }
        #expect(try run(stream) == 1)
        #expect(streamed.withLock(\.self) == bytes)
        #expect(throws: ImageError.inexact(.y4m)) { try ImageFile.Format(of: bytes).decode(bytes) }
    }

    @Test func `clips play side by side in a grid; of a single one the frames stand in a still`() throws {
        let clips = try Self.owls.map { Clip(try frames($0)) }
        #expect(try run(try batch("grid.png", count: 2) { $0.columns = 2 }) == 2)
        let grid = try PNGReader.clip(folder.bytes("grid.png"))
        #expect(try grid == ImageGrid.arrange(clips, columns: 2, padding: Batch.gridPadding))
        #expect(try run(try batch("sheet.png") { $0.columns = 2 }) == 1)
        let bytes = try folder.bytes("sheet.png")
        #expect(
            try PNGReader.clip(bytes)
                == Clip(ImageGrid.arrange(clips[0].frames, columns: 2, padding: Batch.gridPadding)))
        #expect(try ImageMetadata(png: bytes, path: "").record.framesPerSecond == nil)
    }

    @Test func `a batch of clips has a manifest, goes on where it was, and reads back as clips`() throws {
        func batch(_ shard: String) throws -> Batch {
            let schedule = try model.settings.schedule(for: model.directory)
            var output = Batch.Output(pattern: try OutputPattern("\(folder.path){index}.png"))
            output.keepsManifest = true
            return try Batch(
                directory: model.directory, items: Self.owls,
                variants: [SampleVariant(settings: model.settings, schedule: schedule)], shard: Shard(shard),
                decoder: model.directory.decoder(.own), output: output)
        }
        #expect(try run(try batch("0/2")) == 1 && run(try batch("1/2")) == 1)
        let whole = try ["000000.png", "000001.png"].map(folder.bytes)
        try folder.remove("000001.png")
        #expect(try run(try batch("1/2")) == 1)
        #expect(try ["000000.png", "000001.png"].map(folder.bytes) == whole)
        let finished = try folder.read()
        #expect(finished.missing.isEmpty)
        for (line, item) in zip(finished.lines, Self.owls) {
            #expect(try finished.picture(of: line) == Clip(frames(item)))
        }
    }

    @Test func `what an image model cannot write is refused`() throws {
        let image = try ToyModel(frames: 1)
        #expect(refusal { try batch("{frame}.png", of: image) }.contains("{frame} is for the frames of a clip"))
        for format in [ImageFile.Format.y4m, .apng] {
            #expect(refusal { try batch("x.\(format)", format: format, of: image) }.contains("draws images, not clips"))
        }
        #expect(refusal { try batch(of: image) { $0.framesPerSecond = 8 } }.hasPrefix("--fps 8: "))
        #expect(try run(try batch(of: image)) == 1)
        #expect(try ImageMetadata(png: folder.bytes("7.png"), path: "").record.framesPerSecond == nil)
    }

    @Test func `what cannot hold a clip is refused`() throws {
        #expect(refusal { try batch("x.ppm", format: .ppm) }.contains("draws clips of 3; add {frame}"))
        #expect(refusal { try batch(format: .ppm) { $0.stream = { _ in } } }.hasPrefix("--output -: a PPM"))
        for rate in [0, -1, 121] {
            #expect(refusal { try batch { $0.framesPerSecond = rate } }.contains("from 1 to 120"))
        }
        for format in [ImageFile.Format.y4m, .apng] {
            #expect(refusal { try batch("{frame}.x", format: format) }.contains("holds all of them"))
            #expect(refusal { try batch("x", format: format) { $0.columns = 2 } }.contains("write a .png or .ppm"))
        }
        #expect(refusal { try batch("{frame}.png") { $0.framesPerSecond = 8 } }.contains("have no rate"))
        #expect(refusal { try batch("{frame}.png") { $0.keepsManifest = true } }.contains("one file for each clip"))
        #expect(refusal { try batch("{frame}.png") { $0.columns = 2 } }.contains("without {frame}"))
        #expect(refusal { try batch { ($0.columns, $0.framesPerSecond) = (2, 8) } }.contains("into one picture"))
        #expect(folder.names.isEmpty)
    }
}
