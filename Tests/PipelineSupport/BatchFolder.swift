import Foundation
import Media
import Sampling
import Testing

@testable import Pipeline

/// A directory of its own with a batch in it, as it would be after sampling.
package final class BatchFolder {
    /// The path, with the slash after it.
    package let path: String

    package init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "omnicache-batch-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
        path = url.path + "/"
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    /// The names of all files, sorted.
    package var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() }

    package func bytes(_ name: String) throws -> [UInt8] { try [UInt8](Data(contentsOf: URL(filePath: path + name))) }

    package func write(_ bytes: [UInt8], to name: String) throws {
        try Data(bytes).write(to: URL(filePath: path + name))
    }

    package func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: path + name) }

    /// The lines of a manifest's file.
    package func lines(_ name: String) throws -> [ManifestLine] {
        try Manifest.lines(of: name, in: UntrustedFolder(path: path))
    }

    /// What is expected of image `index`, but for seconds and checksum.
    package static func line(_ index: Int, classID: Int? = nil, seed: UInt32? = nil, evaluations: Int = 4)
        -> ManifestLine
    {
        let item = SampleItem(classID: classID ?? index % 3, seed: seed ?? UInt32(100 + index))
        return ManifestLine(
            index: index, file: "\(index).png", class: "\(item.condition)", item: item, evaluations: evaluations)
    }

    /// A picture of 12 x 12 pixels; another one for another number.
    package static func picture(_ number: Int) -> Image {
        Image(
            width: 12, height: 12, channels: 3,
            pixels: (0..<432).map { UInt8(truncatingIfNeeded: ($0 * 2_654_435_761 + number * 40503) >> 13) })
    }

    /// A batch's description.
    package static func run(count: Int, steps: Int = 2, modelHash: String = "hash", seed: UInt32 = 100) -> RunFile {
        let settings = SampleSettings(steps: steps, sampler: SamplerOptions(.ddim), guidanceScale: 1.5)
        return RunFile(
            model: ImageRecord.Model(name: "tiny", hash: modelHash, configuration: "configuration"), decoder: nil,
            initialNoise: nil, variants: [RunFile.Variant(settings: settings, reuse: nil, evaluationsFull: 2 * steps)],
            images: (0..<count).map { index in
                (file: "\(index).png", item: SampleItem(classID: index % 3, seed: seed + UInt32(index)), variant: 0)
            })
    }

    /// Makes the images of a batch and enters them.
    ///
    /// - Parameters:
    ///   - count: how many images the list has.
    ///   - shards: how many shards make them.
    ///   - picture: the number of an image's picture.
    ///   - line: what the manifest says of it.
    /// - Throws: what writing throws.
    package func make(
        count: Int, shards: Int = 1, picture: (Int) -> Int = { $0 }, line: (Int) -> ManifestLine = { line($0) }
    ) throws {
        try Self.run(count: count).keep(in: path, replaces: false)
        for index in 0..<count {
            let bytes = try PNGWriter.encode(Self.picture(picture(index)))
            let line = line(index)
            try write(bytes, to: line.file)
            try Manifest(shard: Shard("\(index % shards)/\(shards)"), folder: path)
                .append(line.of(bytes, seconds: 0.5 + Double(index)))
        }
    }

    /// The finished batch.
    package func read() throws(PipelineError) -> FinishedBatch { try FinishedBatch.read([path])[0] }
}
