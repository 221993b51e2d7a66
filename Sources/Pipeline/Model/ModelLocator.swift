import FoundationEssentials
import Models

/// Finds model directories by name, and the embedded model.
public struct ModelLocator: Sendable {
    /// The folders that hold models, most important first.
    public let folders: [String]

    /// Looks in `OMNICACHE_MODELS` if it is set; else beside the binary and in the folders above it, then in the
    /// install prefix's share folder.
    public init(
        environment: [String: String] = ProcessInfo.processInfo.environment,
        executable: String = ModelLocator.runningExecutable
    ) {
        if let folder = environment["OMNICACHE_MODELS"], !folder.isEmpty {
            folders = [folder]
            return
        }
        var folders: [String] = []
        var parts = executable.split(separator: "/").dropLast()
        folders.append("/" + (parts.dropLast() + ["share", "omnicache", "models"]).joined(separator: "/"))
        // A build puts the binary three folders below the package, whose Models folder is the one meant.
        for _ in 0..<4 where !parts.isEmpty {
            folders.append("/" + (parts + ["Models"]).joined(separator: "/"))
            parts = parts.dropLast()
        }
        self.folders = folders
    }

    /// The path of the binary that runs, with links resolved.
    public static var runningExecutable: String {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
    }

    /// The directory that `model` names: a path, or the name of a model in one of the folders.
    ///
    /// - Parameters:
    ///   - model: nil for an embedded model: the first by name in the first folder that has any.
    ///   - takesPrompts: whether the embedded model is to have a text encoder.
    /// - Returns: the directory's path.
    /// - Throws: ``PipelineError`` when there is no such directory, or a file in its place.
    public func locate(_ model: String?, takesPrompts: Bool = false) throws(PipelineError) -> String {
        guard let model else { return try embedded(takesPrompts: takesPrompts) }
        var isDirectory = false
        if FileManager.default.fileExists(atPath: model, isDirectory: &isDirectory) {
            guard isDirectory else { throw Self.isFile(model) }
            return model
        }
        if let installed = installed(model) { return installed }
        throw .missingInput("--model \(model): no such directory; give one with a config.json and safetensors weights")
    }

    /// The directory of the installed model of that name; nil where there is none.
    public func installed(_ name: String) -> String? {
        guard !name.contains("/"), !name.hasPrefix(".") else { return nil }
        return folders.map { "\($0)/\(name)" }.first(where: Self.isModel)
    }

    /// The error of a file in place of a directory.
    private static func isFile(_ path: String) -> PipelineError {
        guard PickledCheckpoint.isNamedLikeOne(path) else {
            return .usage("\(path): a file; give the directory that holds config.json and the weights")
        }
        return .badData("\(path): a PyTorch checkpoint; \(PickledCheckpoint.advice(converting: path))")
    }

    private func embedded(takesPrompts: Bool) throws(PipelineError) -> String {
        for folder in folders {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder))?.sorted() ?? []
            let models = names.map { "\(folder)/\($0)" }.filter {
                Self.isModel($0) && FileManager.default.fileExists(atPath: "\($0)/text_encoder") == takesPrompts
            }
            if let first = models.first { return first }
        }
        throw .missingInput(
            "the embedded \(takesPrompts ? "text-to-image " : "")model was not found in \(folders.joined(separator: ", ")); give --model DIR or set "
                + "OMNICACHE_MODELS")
    }

    private static func isModel(_ path: String) -> Bool {
        ["config.json", PipelineIndex.fileName].contains {
            FileManager.default.fileExists(atPath: "\(path)/\($0)")
        }
    }
}
