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
        // The JSON of a safetensors file begins at byte 8; any signature before it is then part of the header length.
        let mayBeSafetensors = bytes.count > 8 && bytes[8] == UInt8(ascii: "{")
        guard !mayBeSafetensors, let match = Self.signatures.first(where: { bytes.starts(with: $0.start) }) else {
            return nil
        }
        self = match.format
    }

    private init(name: String, advice: String) {
        self.name = name
        self.advice = advice
    }
}
