import Foundation
import Media
import PipelineSupport
import Sampling
import Synchronization
import TestSupport
import Testing

@testable import Pipeline

/// Batches sampled by a program that links the library, without the command line.
@Suite struct BatchRunTests {
    private let model: ModelDirectory
    private let folder: BatchFolder

    init() throws {
        folder = try BatchFolder()
        try TinyModel().write(to: folder.path + "model")
        model = try ModelDirectory(path: folder.path + "model")
    }

    /// Two images of a class each, with a manifest.
    private func batch(_ change: (inout Batch.Output) -> Void = { _ in }) throws -> Batch {
        let settings = SampleSettings(steps: 3, sampler: SamplerOptions(.ddim), guidanceScale: 1.5)
        var output = Batch.Output(pattern: try OutputPattern("\(folder.path){index}.png"))
        output.keepsManifest = true
        change(&output)
        return try Batch(
            directory: model, items: [SampleItem(classID: 0, seed: 7), SampleItem(classID: 2, seed: 8)],
            variants: [SampleVariant(settings: settings, schedule: settings.schedule(for: model))],
            decoder: model.decoder(.own), output: output)
    }

    private func run(_ batch: Batch, inFlight: Int? = nil) -> BatchRun {
        BatchRun(batch, session: ModelSession(directory: model), inFlight: inFlight)
    }

    @Test func `a batch of two images is written, listed and reported in order`() throws {
        let events = Mutex<[String]>([])
        let cost = try run(try batch()).run { event in
            switch event {
            case .start(let images): events.withLock { $0.append("start \(images)") }
            case .step(let step, let image, let share):
                #expect(step.index < 3 && image < 2 && share > 0 && share <= 1)
            case .done(let target, let timing):
                #expect(timing.map { $0.seconds > 0 } == true)
                events.withLock { $0.append("done \(target.index)") }
            }
        }
        #expect(cost.images == 2 && cost.seconds > 0)
        #expect(events.withLock(\.self) == ["start 2", "done 0", "done 1"])
        let images = try ["000000.png", "000001.png"].map(folder.bytes)
        #expect(images[0] != images[1])
        #expect(try PNGReader.decode(images[0]).width == 4)
        let lines = try folder.lines("manifest-0-of-1.jsonl")
        #expect(lines.map(\.seed) == [7, 8] && lines.map(\.sha256) == images.map { SHA256.hexadecimal($0) })
        #expect(lines.allSatisfy { $0.evaluations == 6 })
        #expect(try folder.read().missing.isEmpty)
    }

    @Test(arguments: [1, 2])
    func `a stopped batch goes on where it was, to the same bytes`(inFlight: Int) throws {
        struct Stop: Error {}
        try run(try batch()).run()
        let whole = try ["000000.png", "000001.png"].map(folder.bytes)
        try folder.remove("000001.png")
        #expect(throws: Stop.self) {
            try run(try batch(), inFlight: inFlight).run { event in
                if case .step(let step, let image, _) = event, step.index == 1, image == 1 { throw Stop() }
            }
        }
        #expect(!folder.names.contains("000001.png"))
        let skipped = Mutex<[Int]>([])
        let cost = try run(try batch(), inFlight: inFlight).run { event in
            if case .done(let target, nil) = event { skipped.withLock { $0.append(target.index) } }
        }
        #expect(cost.images == 1 && skipped.withLock(\.self) == [0])
        #expect(try ["000000.png", "000001.png"].map(folder.bytes) == whole)
        #expect(try run(try batch()).run().images == 0)
    }

    @Test func `a grid of the same images goes to a stream`() throws {
        let bytes = Mutex<[UInt8]>([])
        let grid = try batch { output in
            output.keepsManifest = false
            output.columns = 2
            output.stream = { written in bytes.withLock { $0 = written } }
        }
        #expect(try run(grid).run().images == 2)
        let picture = try PNGReader.decode(bytes.withLock(\.self))
        #expect(picture.width == 14 && picture.height == 8)
        #expect(folder.names == ["model"])
    }

    @Test func `a list that would write two images to one path is refused`() throws {
        let same = try OutputPattern("\(folder.path)same.png")
        #expect(throws: PipelineError.self) {
            try batch { $0.pattern = same }
        }
    }
}
