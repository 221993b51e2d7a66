import Compute
import Evaluation
import Foundation
import FuzzHarness
import Media
import Pipeline
import Reports
import Sampling
import TestSupport

/// `run.json` and manifests of a batch, and the list that one is made from.
enum BatchReaders {
    private static let images = 3

    /// A manifest, whose batch is compared with a sound one.
    static let manifest = Reader("manifest") { folder in
        try makeBatches(folder)
        let path = "\(folder)/a/manifest-0-of-1.jsonl"
        let words = ["\"index\"", "\"../b/0.png\"", "\"/dev/zero\"", "\"sha256\"", "\"0.png\"", "1000000001", "{}"]
        return Subject(
            seeds: [try Files.read(path)], at: path,
            mutate: LineMutation(within: JSONMutation(words: words).mutated).mutated,
            command: ["compare", "\(folder)/b", "\(folder)/a"]
        ) { try compare(folder) }
    }

    /// What a whole batch is, `run.json`.
    static let runFile = Reader("run-file") { folder in
        try makeBatches(folder)
        let path = "\(folder)/a/run.json"
        return Subject(
            seeds: [try Files.read(path)], at: path,
            mutate: JSONMutation(words: ["1000000", "1000001", "\"variants\"", "\"count\"", "\"omnicache.run/1\""])
                .mutated,
            command: ["analyze", "\(folder)/a", "--force", "--output", "\(folder)/analysis"]
        ) { try compare(folder) }
    }

    private static func compare(_ folder: String) throws {
        let batches = try FinishedBatch.read(["\(folder)/b", "\(folder)/a"])
        for batch in batches { _ = batch.missing.count }
        _ = try BatchComparison(batches, measuresTime: true).run(workers: Workers(count: 1)) { _ in }
    }

    /// Writes two batches of one list.
    private static func makeBatches(_ folder: String) throws {
        for name in ["a", "b"] {
            let path = "\(folder)/\(name)/"
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            let items = (0..<images).map { SampleItem(classID: $0, seed: UInt32(7 + $0)) }
            let run = RunFile(
                model: ImageRecord.Model(name: "tiny", hash: "hash", configuration: "configuration"), decoder: nil,
                initialNoise: nil,
                variants: [RunFile.Variant(settings: TinyRun.settings, reuse: nil, evaluationsFull: 12)],
                images: items.enumerated().map { (file: "\($0.offset).png", item: $0.element, variant: 0) })
            try run.keep(in: path, replaces: true)
            let manifest = Manifest(shard: .whole, folder: path)
            for (index, item) in items.enumerated() {
                let bytes = try PNGWriter.encode(ImageReaders.picture(index))
                try Files.write(bytes, to: "\(path)\(index).png")
                let line = ManifestLine(
                    index: index, file: "\(index).png", class: "class \(index)", item: item, evaluations: 12)
                try manifest.append(line.of(bytes, seconds: 0.5))
            }
        }
    }

    /// A list of images to make.
    static let list = Reader("list") { folder in
        let model = "\(folder)/model"
        try TinyModel().write(to: model)
        let seeds = [
            "class,seed,steps,cfg-scale\nowl,1,2,1.5\n\"red fox\",2,3,\n2,3,,4\n",
            "{\"class\": \"owl\", \"seed\": 7}\n{\"class\": 1, \"seed\": 8, \"steps\": 3, \"cfg_scale\": 2.5}\n",
            "seed\n1\n2\n",
        ]
        let words = [
            ",", ";", "\t", "\"", "\"\"", "\n", "\r\n", "\u{2028}", "\u{FEFF}", "{", "}", "[", "5.0", "1e9", "class",
            "seed",
            "help", "version", "sampler", "--steps", "steps", "eta", "all", "\0", "\u{1b}[2J", " ", "{}", "-1",
            "4294967296",
            "clip", "forecaster", "planner", "budget", "0.5",
        ]
        let path = "\(folder)/list"
        let bytes = ByteMutation(words: words)
        let json = JSONMutation(words: words)
        return Subject(
            seeds: seeds.map { Array($0.utf8) }, at: path,
            mutate: LineMutation(within: { text, generator in
                text.first == UInt8(ascii: "{") && Bool.random(using: &generator)
                    ? json.mutated(text, using: &generator) : bytes.mutated(text, using: &generator)
            }).mutated,
            command: [
                "sample", "--batch", path, "--model", model, "--dry-run", "--output", "\(folder)/set/{index}.png",
            ]
        ) {
            let places = try BatchFile(path: path, names: ["class", "seed", "steps", "cfg-scale", "budget"]).entries
                .map(\.place)
            guard !places.isEmpty,
                zip(places, places.dropFirst()).allSatisfy({ ($0.line, $0.column) < ($1.line, $1.column) })
            else { throw Breach("images at \(places)") }
        }
    }
}
