/// A file format that is given in place of safetensors by mistake, told by its first bytes.
struct ForeignFormat {
    /// What the file is.
    let name: String
    /// What to do about it.
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
