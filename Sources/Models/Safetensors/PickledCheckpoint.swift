/// PyTorch's pickled checkpoints, which are programs and so never read here; told by their names.
package enum PickledCheckpoint {
    private static let extensions = [".pt", ".pth", ".ckpt", ".bin"]

    /// Whether a file of this name is usually one.
    package static func isNamedLikeOne(_ name: String) -> Bool {
        extensions.contains { name.lowercased().hasSuffix($0) }
    }

    /// What to do with the checkpoint at `path`, or with a directory of diffusers' that holds such.
    package static func advice(converting path: String) -> String {
        "convert it once with: python3 Scripts/convert.py \(quoted(path)) NEW-DIRECTORY"
    }

    /// The path as a shell takes it.
    private static func quoted(_ path: String) -> String {
        let isPlain = path.allSatisfy { $0.isLetter || $0.isNumber || "/._-+~".contains($0) }
        return isPlain
            ? path
            : "'" + path.split(separator: "'", omittingEmptySubsequences: false).joined(separator: #"'\''"#) + "'"
    }

    /// What to do with a directory that has the checkpoint `name` instead of safetensors: diffusers' `.bin` are converted
    /// as a directory, everything else is a checkpoint by itself.
    static func advice(converting directory: String, firstOf name: String) -> String {
        advice(converting: name.hasSuffix(".bin") ? directory : "\(directory)/\(name)")
    }
}
