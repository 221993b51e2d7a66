import Foundation
import Testing

/// Weight files that others write to in the middle of a run.
@Suite(.serialized) struct WeightChangeTests {
    private let place: Workplace
    private var weights: String { "\(place.modelPath)/model.safetensors" }

    init() throws {
        place = try Workplace()
        for name in ["whole", "hurt"] {
            try FileManager.default.createDirectory(
                atPath: "\(place.path)/\(name)", withIntermediateDirectories: false)
        }
    }

    private func arguments(_ folder: String) -> [String] {
        place.sampling([
            "--seed", "0", "--count", "12", "--class", "all", "--steps", "1000", "--shard", "0/1", "-o",
            "\(folder)/{index}.png",
        ])
    }

    /// Runs a batch, and `change` once its first image is there.
    private func run(_ change: () throws -> Void) throws -> Command.Result {
        let command = try place.start(arguments("hurt"))
        try wait { place.files.contains("hurt/000000.png") }
        try change()
        return try command.wait()
    }

    /// Expects that what was kept is right, and that the same command completes it under the right weights.
    private func expectWholeAfterRerun(_ result: Command.Result, with original: Data) throws {
        let kept = place.files.filter { $0.hasPrefix("hurt/") && $0.hasSuffix(".png") && !$0.hasPrefix("hurt/.") }
        #expect(kept.count < 12, "the run was over before the change")
        try original.write(to: URL(filePath: weights))
        #expect(try place.start(arguments("whole")).wait().status == 0)
        for name in kept {
            #expect(try place.bytes(name) == place.bytes(name.replacingOccurrences(of: "hurt/", with: "whole/")))
        }
        let manifest = try String(decoding: place.bytes("hurt/manifest-0-of-1.jsonl"), as: UTF8.self)
        let lines = manifest.split(separator: "\n")
        #expect(lines.count == kept.count)
        #expect(try place.start(arguments("hurt")).wait().status == 0)
        let names = place.files.filter { $0.hasPrefix("whole/") && $0.hasSuffix(".png") }
        #expect(names.count == 12)
        for name in names {
            #expect(try place.bytes(name) == place.bytes(name.replacingOccurrences(of: "whole/", with: "hurt/")))
        }
        #expect(!place.files.contains { $0.contains(".tmp") }, "the rerun removes what was left: \(place.files)")
    }

    private func overwrite(_ bytes: Data, at offset: Int) throws {
        let handle = try FileHandle(forWritingTo: URL(filePath: weights))
        try handle.seek(toOffset: UInt64(offset))
        try handle.write(contentsOf: bytes)
        try handle.close()
    }

    @Test func `weights that are overwritten end the run with 74, and no image of theirs is kept`() throws {
        let original = try Data(contentsOf: URL(filePath: weights))
        let half = original.count / 2
        let result = try run { try overwrite(original[half..<half + 4000].map { $0 ^ 1 }.data, at: half) }
        #expect(result.status == 74)
        #expect(result.errorText.hasPrefix("omnicache: ") && result.errorLines.count == 2)
        #expect(result.errorText.contains("model.safetensors: was written to"))
        try expectWholeAfterRerun(result, with: original)
    }

    @Test func `weights that are overwritten and given back their size and time are noticed`() throws {
        let original = try Data(contentsOf: URL(filePath: weights))
        let result = try run {
            let script =
                "touch -r \(weights) stamp; printf 'xxxx' | "
                + "dd of=\(weights) bs=1 seek=\(original.count - 4) conv=notrunc status=none; touch -r stamp \(weights)"
            try place.shell(script).expectSuccess()
        }
        #expect(result.status == 74 && result.errorText.contains("was written to"))
        try expectWholeAfterRerun(result, with: original)
        // The hash that was remembered for the file is not that of the other bytes.
        try place.sample("--seed", "0", "-o", "a.png").expectSuccess()
        let before = try place.run("info", place.modelPath).outputLines[1]
        try place.shell(
            "touch -r \(weights) stamp; printf 'xxxx' | "
                + "dd of=\(weights) bs=1 seek=\(original.count - 4) conv=notrunc status=none; touch -r stamp \(weights)"
        ).expectSuccess()
        #expect(try place.run("info", place.modelPath).outputLines[1] != before)
    }

    @Test(arguments: [0, 9000])
    func `weights that are cut short end the run with one line and 74`(size: Int) throws {
        let original = try Data(contentsOf: URL(filePath: weights))
        let result = try run { #expect(truncate(weights, size) == 0) }
        #expect(result.status == 74)
        #expect(result.errorText.hasPrefix("omnicache: ") && result.errorLines.count == 2)
        #expect(result.errorText.contains("model.safetensors: was "))
        try expectWholeAfterRerun(result, with: original)
    }

    @Test func `weights that others take the place of do no harm to the run`() throws {
        let original = try Data(contentsOf: URL(filePath: weights))
        let result = try run {
            try Data(original.map { $0 ^ 1 }).write(to: URL(filePath: weights + ".new"))
            #expect(rename(weights + ".new", weights) == 0)
        }
        #expect(result.status == 0 && result.errorText == "")
        try original.write(to: URL(filePath: weights))
        #expect(try place.start(arguments("whole")).wait().status == 0)
        for name in place.files where name.hasPrefix("whole/") && name.hasSuffix(".png") {
            #expect(try place.bytes(name) == place.bytes(name.replacingOccurrences(of: "whole/", with: "hurt/")))
        }
    }

    @Test func `a signal that somebody sends by hand is not taken for a lost file`() throws {
        // Swift's own handler, where it is on, comes back from a signal that no fault has caused.
        let command = try Command(
            Installation.binary, arguments("hurt"), in: place.path, environment: ["SWIFT_BACKTRACE": "enable=no"])
        try wait { place.files.contains("hurt/000000.png") }
        command.send(SIGBUS)
        let result = try command.wait()
        #expect(result.status == 128 + SIGBUS && !result.errorText.contains("cut short"))
    }
}

extension Array where Element == UInt8 {
    fileprivate var data: Data { Data(self) }
}
