import Caching
import Evaluation
import Foundation
import FuzzHarness
import Media
import Pipeline
import Reports
import Sampling
import TestSupport

/// Pictures, and what they say of themselves.
enum ImageReaders {
    private static let model = ImageRecord.Model(name: "tiny", hash: "hash", configuration: "configuration")
    private static let words = [
        "\"record\"", "\"items\"", "\"settingsHash\"", "\"omnicache.image/1\"", "\"columns\"", "[]",
    ]

    /// A PNG: its pixels, its texts, and the record among them.
    static let png = Reader("png") { folder in
        let path = "\(folder)/image.png"
        let seeds = try [3, 1].map { channels in
            let image = channels == 3 ? picture(1) : Image(width: 5, height: 3, channels: 1, pixels: Array(10..<25))
            return try encoded(
                image, ImageRecord(model: model, settings: TinyRun.settings, items: [SampleItem(classID: 1, seed: 7)]))
        }
        return Subject(seeds: seeds, at: path, mutate: PNGMutation().mutated, command: ["info", path]) {
            let bytes = try Files.read(path)
            try all(
                [
                    {
                        let image = try PNGReader.decode(bytes)
                        guard image.pixels.count == image.width * image.height * image.channels else {
                            throw Breach("\(image.pixels.count) samples for \(image.width) x \(image.height)")
                        }
                    },
                    { _ = try PNGReader.text(in: bytes) },
                    { _ = ImageMetadata.settingsHash(path: path) },
                    { _ = try ImageMetadata(png: bytes, path: path) },
                ])
        }
    }

    /// The record in a PNG, used as `--like` does.
    static let record = Reader("image-record") { folder in
        let run = try TinyRun(at: "\(folder)/model")
        let items = (0..<3).map { SampleItem(classID: $0, seed: UInt32($0)) }
        let schedule = try TinyRun.settings.schedule(for: run.directory)
        let reuse = try PlanResolver(schedule: schedule).resolve(ReuseRequest(mask: "FRFRFF"))
        let seeds = [
            try encoded(
                picture(2), ImageRecord(model: run.reference, settings: TinyRun.settings, items: items, columns: 2)),
            try encoded(
                picture(3),
                ImageRecord(model: run.reference, settings: TinyRun.settings, items: [items[1]], reuse: reuse)),
        ]
        let path = "\(folder)/image.png"
        let mutation = PNGMutation(text: JSONMutation(words: words).mutated)
        return Subject(
            seeds: seeds, at: path,
            mutate: { mutation.mutatedText($0, keyword: "omnicache", using: &$1) },
            command: [
                "sample", "--like", path, "--model", "\(folder)/model", "--dry-run", "--output", "\(folder)/new.png",
            ]
        ) {
            let record = try ImageMetadata(png: Files.read(path), path: path).record
            _ = ImageMetadata.settingsHash(path: path)
            _ = record.settingsHash
            let list = try WorkList(items: record.items, of: .classes(3))
            guard !list.items.isEmpty else { throw Breach("a record without an image") }
            try run.sample(record.settings, reuse: record.reuse)
        }
    }

    /// A PPM and its comments.
    static let ppm = Reader("ppm") { folder in
        let path = "\(folder)/image.ppm"
        let seeds = [PPM.encode(picture(4), comment: "omnicache settings 0123"), PPM.encode(picture(5))]
        let words = ["P6\n", "P5\n", "#", "\n", " ", "255", "65535", "4294967296", "16384 16384", "-1"]
        return Subject(seeds: seeds, at: path, mutate: ByteMutation(words: words).mutated) {
            let bytes = try Files.read(path)
            try all(
                [
                    { _ = try PPM.decode(bytes) },
                    { _ = try PPM.comments(in: bytes) },
                    { _ = ImageMetadata.settingsHash(path: path) },
                ])
        }
    }

    /// An animated PNG: its frames, and what it says of them before its pixels.
    static let clip = Reader("clip") { folder in
        let path = "\(folder)/clip.png"
        let seeds = try [1, 24].map { rate in
            try encoded(
                Clip((6..<9).map(picture), framesPerSecond: rate),
                ImageRecord(model: model, settings: TinyRun.settings, items: [SampleItem(classID: 1, seed: 7)]))
        }
        return Subject(seeds: seeds, at: path, mutate: PNGMutation().mutated, command: ["info", path]) {
            let bytes = try Files.read(path)
            try all(
                [
                    {
                        let clip = try PNGReader.clip(bytes)
                        let announced = try PNGReader.frames(of: bytes)
                        guard clip.frames.count == announced.count, clip.framesPerSecond == announced.framesPerSecond,
                            clip.frames.count > 1 || clip.framesPerSecond == nil
                        else { throw Breach("\(clip.frames.count) frames where \(announced) are announced") }
                    },
                    { _ = ImageMetadata.settingsHash(path: path) },
                ])
        }
    }

    /// A Y4M, of which only the header is read.
    static let y4m = Reader("y4m") { folder in
        let path = "\(folder)/clip.y4m"
        let clip = Clip([picture(9), picture(10)])
        let seeds = [Y4M.encode(clip, note: "0123456789abcdef"), Y4M.encode(Clip(picture(11)), note: "0")]
        let words = ["YUV4MPEG2 ", "W", "H0", " XOMNICACHE=", "268435456,", "\n", " C444", "-1", "16384"]
        return Subject(seeds: seeds, at: path, mutate: ByteMutation(words: words).mutated) {
            guard ImageProbe.y4mNote(path: path) != nil else {
                throw ImageError.malformed(.y4m, offset: 0, reason: "no whole file of omnicache's")
            }
        }
    }

    /// A picture of 12 x 12 pixels; another one for another number.
    static func picture(_ number: Int) -> Image {
        Image(
            width: 12, height: 12, channels: 3,
            pixels: (0..<432).map { UInt8(truncatingIfNeeded: ($0 * 2_654_435_761 + number * 40503) >> 13) })
    }

    private static func encoded(_ image: Image, _ record: ImageRecord) throws -> [UInt8] {
        try encoded(Clip(image), record)
    }

    private static func encoded(_ clip: Clip, _ record: ImageRecord) throws -> [UInt8] {
        try ImageFile.Format.png.encode(
            clip, record: record, classNames: ClassNames(["red fox", "owl", "hermit crab"]))
    }

    /// Does all of it, and throws the worst that came of it: an error that is not documented, else the first.
    private static func all(_ bodies: [() throws -> Void]) throws {
        var first: (any Error)?
        for body in bodies {
            do {
                try body()
            } catch {
                guard isDocumented(error) else { throw error }
                first = first ?? error
            }
        }
        if let first { throw first }
    }
}
