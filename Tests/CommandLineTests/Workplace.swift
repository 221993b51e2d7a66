import Foundation
import TestSupport
import Testing

/// The model that commands are tried with.
typealias TinyModel = TestSupport.TinyModel

/// A directory of its own in which one test runs the binary.
final class Workplace {
    let path: String
    private let model: TinyModel

    /// The cache folder of all tests, so that the weights of the embedded model are hashed once.
    private static let cache = FileManager.default.temporaryDirectory
        .appending(path: "omnicache-cache-\(ProcessInfo.processInfo.processIdentifier)").path

    /// An empty directory, and beside it a model that is small enough to sample from in no time.
    init(model: TinyModel = TinyModel()) throws {
        let parent = FileManager.default.temporaryDirectory.appending(path: "omnicache-cli-\(UUID().uuidString)")
        let url = parent.appending(path: "work")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
        self.model = model
        try model.write(to: modelPath)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: URL(filePath: path).deletingLastPathComponent().path)
    }

    /// The tiny model's directory.
    var modelPath: String { "\(URL(filePath: path).deletingLastPathComponent().path)/tiny" }

    /// The names of all files in the directory and below, hidden ones too, sorted.
    var files: [String] {
        (FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []).sorted()
    }

    /// The bytes of a file.
    func bytes(_ name: String) throws -> Data {
        try Data(contentsOf: URL(filePath: "\(path)/\(name)"))
    }

    /// Writes a file.
    func write(_ bytes: some Sequence<UInt8>, to name: String) throws {
        try Data(bytes).write(to: URL(filePath: "\(path)/\(name)"))
    }

    /// Starts `omnicache` with these arguments; standard output goes to `outputPath`, if there is one.
    func start(_ arguments: [String], outputPath: String? = nil) throws -> Command {
        try Command(
            Installation.binary, arguments, in: path, environment: environment, outputPath: outputPath)
    }

    /// Runs `omnicache` with these arguments; standard output goes to `outputPath`, if there is one.
    func run(_ arguments: String..., outputPath: String? = nil) throws -> Command.Result {
        try start(arguments, outputPath: outputPath).wait()
    }

    /// Runs `omnicache sample` on the tiny model, two steps on one thread unless the arguments say otherwise.
    func sample(_ arguments: String..., outputPath: String? = nil) throws -> Command.Result {
        try start(sampling(arguments), outputPath: outputPath).wait()
    }

    /// The arguments of `sample(_:outputPath:)`.
    func sampling(_ arguments: [String]) -> [String] {
        func unless(_ names: [String], _ option: [String]) -> [String] {
            arguments.contains { argument in names.contains(argument) } ? [] : option
        }
        return ["sample"] + unless(["--model"], ["--model", modelPath])
            + unless(["--steps", "--like"], ["--steps", "2"])
            + unless(["--threads", "-t"], ["--threads", "1"]) + arguments
    }

    /// Runs a script of the shell.
    func shell(_ script: String, environment extra: [String: String] = [:]) throws -> Command.Result {
        try Command(
            "/bin/sh", ["-c", script], in: path, environment: environment.merging(extra) { $1 }
        ).wait()
    }

    private var environment: [String: String] {
        [
            "OMNICACHE_MODELS": "\(Installation.repository)/Models", "OMNICACHE": Installation.binary,
            "XDG_CACHE_HOME": Self.cache, "TINY": modelPath,
        ]
    }
}

extension Command.Result {
    /// Expects success, with nothing on standard error.
    func expectSuccess(sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(status == 0, sourceLocation: sourceLocation)
        #expect(errorText == "", sourceLocation: sourceLocation)
    }

    /// Expects one line on standard error that holds all of `texts`, nothing on standard output, and this exit code.
    func expectFailure(_ code: Int32, _ texts: String..., sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(status == code, "\(errorText)", sourceLocation: sourceLocation)
        #expect(output.isEmpty, sourceLocation: sourceLocation)
        #expect(
            errorText.hasPrefix("omnicache: ") && errorLines.count == 2 && errorLines.last == "",
            "one line and no more: \(errorText)", sourceLocation: sourceLocation)
        for text in texts {
            #expect(errorText.contains(text), "'\(text)' in: \(errorText)", sourceLocation: sourceLocation)
        }
    }
}
