import FoundationEssentials

/// PyTorch's pickled checkpoints, which are programs and so never read here; told by their names.
package enum PickledCheckpoint {
    private static let extensions = [".pt", ".pth", ".ckpt", ".bin"]

    /// Whether a file of this name is usually one.
    package static func isNamedLikeOne(_ name: String) -> Bool {
        extensions.contains { name.lowercased().hasSuffix($0) }
    }

    /// What to do with the checkpoint at `path`, or with a directory of diffusers' that holds such.
    package static func advice(converting path: String) -> String {
        "convert it once with: python3 Scripts/convert.py \(path.quotedForShell) NEW-DIRECTORY"
    }

    /// What to do with a model directory whose weights must be rewritten; `path` is one of its files or parts.
    static func advice(convertingPartWith path: String) -> String {
        var isDirectory = false
        let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
        let part = URL(filePath: exists && !isDirectory ? URL(filePath: path).deletingLastPathComponent().path : path)
        let whole = part.deletingLastPathComponent()
        let isPipeline = FileManager.default.fileExists(atPath: whole.appending(path: "model_index.json").path)
        return advice(converting: isPipeline ? whole.relativePath : part.relativePath)
    }

    /// What to do with a directory that has the checkpoint `name` instead of safetensors: diffusers' `.bin` are converted
    /// as a directory, everything else is a checkpoint by itself.
    static func advice(converting directory: String, firstOf name: String) -> String {
        advice(converting: name.hasSuffix(".bin") ? directory : "\(directory)/\(name)")
    }
}

extension String {
    /// The word as a shell reads it back: in quotes where it needs them.
    package var quotedForShell: String {
        let isPlain = utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: "-_=+:,./@%".utf8.contains(byte)
            }
        }
        guard !isPlain || isEmpty else { return self }
        // By scalars: a combining mark after a quote would make another character of it.
        let inside = unicodeScalars.split(separator: "'", omittingEmptySubsequences: false).map(String.init)
        return "'" + inside.joined(separator: "'\\''") + "'"
    }
}
