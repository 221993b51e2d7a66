import FoundationEssentials

/// A file format that is given in place of safetensors by mistake, recognised by its first bytes.
struct ForeignFormat {
    let name: String
    let advice: String

    private static let signatures: [(start: [UInt8], format: ForeignFormat)] = [
        (
            Array("version https://git-lfs".utf8),
            ForeignFormat(name: "a Git LFS pointer", advice: "fetch the file itself with `git lfs pull`")
        ),
        (
            [0x50, 0x4B, 0x03, 0x04],
            ForeignFormat(
                name: "a ZIP archive, such as a PyTorch .pt or .bin checkpoint",
                advice: "convert it with Scripts/convert.py")
        ),
        (
            [0x80, 0x02],
            ForeignFormat(
                name: "a Python pickle, such as an old PyTorch checkpoint",
                advice: "convert it with Scripts/convert.py")
        ),
        (
            Array("<".utf8),
            ForeignFormat(name: "a web page or XML", advice: "fetch the file itself, not the page that shows it")
        ),
        (
            Array("{".utf8),
            ForeignFormat(name: "JSON text", advice: "give the .safetensors file itself")
        ),
    ]

    /// Recognises a foreign file; nil when `bytes` may be safetensors.
    init?(startOf bytes: UnsafeRawBufferPointer) {
        guard !Self.mayBeSafetensors(bytes), let match = Self.signatures.first(where: { bytes.starts(with: $0.start) })
        else {
            return nil
        }
        self = match.format
    }

    /// Whether JSON begins at byte 8, as in a safetensors file; any signature before it is then part of the header length.
    private static func mayBeSafetensors(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count > 8 else { return false }
        // White space, by which writers move the data to a boundary, is no sign by itself.
        let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        return bytes[8] == UInt8(ascii: "{")
            || [0x20, 0x0A, 0x0D, 0x09].contains(bytes[8]) && length <= UInt64(bytes.count - 8)
    }

    private init(name: String, advice: String) {
        self.name = name
        self.advice = advice
    }
}

/// PyTorch's pickled checkpoints, which are programs and so never read here; recognised by their names.
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
