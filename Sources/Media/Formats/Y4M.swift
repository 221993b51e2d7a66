/// Writes clips as YUV4MPEG2 (https://wiki.multimedia.cx/index.php/YUV4MPEG2), which video programs read from a pipe.
///
/// Frames are not compressed, and chroma is not subsampled (`C444`, for gray too: readers differ on the range of `Cmono`). Colours become the Y'CbCr of ITU-R
/// BT.601 in its limited range, luma 16 to 235 and chroma 16 to 240, which every reader takes for granted where a header
/// says nothing else. Rounding costs at most two levels of a byte on the way back (52 dB).
public enum Y4M {
    /// What a file begins with.
    public static let signature = "YUV4MPEG2"
    /// The mark of a header's field that other programs skip.
    static let noteMark = "XOMNICACHE="
    /// What each frame begins with.
    private static let frameMark = Array("FRAME\n".utf8)
    /// The longest header that is read: ffmpeg reads 96 bytes.
    static let mostHeaderBytes = 96

    /// Encodes a clip; a still is a clip of one frame at the usual rate.
    ///
    /// - Parameters:
    ///   - clip: the clip.
    ///   - note: a word of at most 32 ASCII letters and digits that the header keeps, for ``ImageProbe/y4mNote(path:)``.
    /// - Returns: the file's bytes.
    public static func encode(_ clip: Clip, note: String? = nil) -> [UInt8] {
        let first = clip.frames[0]
        precondition((note ?? "").utf8.count <= 32, "a note of \(note?.utf8.count ?? 0) bytes")
        let rate = clip.framesPerSecond ?? Clip.usualRate
        var header = "\(signature) W\(first.width) H\(first.height) F\(rate):1 Ip A1:1 C444"
        // The number of frames is not in the format; with it, a file that is cut short between two of them is known.
        if let note { header += " \(noteMark)\(clip.frames.count),\(note)" }
        var file = Array("\(header)\n".utf8)
        file.reserveCapacity(file.count + clip.frames.count * (frameMark.count + 3 * first.width * first.height))
        for frame in clip.frames {
            file += frameMark
            file += planes(of: frame)
        }
        return file
    }

    /// What the header at the beginning of a file says: the note, and the size of the whole file; nil for any other file,
    /// and for one without a note.
    static func outline(of head: [UInt8]) -> (note: String, size: Int)? {
        guard let end = head.prefix(mostHeaderBytes).firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        let fields = String(latin1: head[..<end]).split(separator: " ", omittingEmptySubsequences: false)
        func number(_ letter: Character) -> Int? {
            fields.first { $0.first == letter }.flatMap { Int($0.dropFirst()) }.flatMap { $0 > 0 ? $0 : nil }
        }
        guard fields[0] == signature, let width = number("W"), let height = number("H"),
            ImageLimits.allow(width: width, height: height),
            let note = fields.last(where: { $0.hasPrefix(noteMark) })?.dropFirst(noteMark.count),
            let comma = note.firstIndex(of: ","), let frames = Int(note[..<comma]), (1...1 << 28).contains(frames)
        else { return nil }
        return (
            String(note[note.index(after: comma)...]),
            end + 1 + frames * (frameMark.count + 3 * width * height)
        )
    }

    /// The planes Y, Cb and Cr of a picture, one after the other.
    ///
    /// Y = 0.299 R + 0.587 G + 0.114 B, Cb = (B - Y) / 1.772 and Cr = (R - Y) / 1.402, with R, G and B from 0 to 1, are
    /// stored as 16 + 219 Y, 128 + 224 Cb and 128 + 224 Cr.
    private static func planes(of frame: Image) -> [UInt8] {
        let (area, channels) = (frame.width * frame.height, frame.channels)
        return [UInt8](unsafeUninitializedCapacity: 3 * area) { planes, count in
            frame.pixels.withUnsafeBufferPointer { pixels in
                for place in 0..<area {
                    let red = Float(pixels[channels * place]) / 255
                    let green = channels == 1 ? red : Float(pixels[channels * place + 1]) / 255
                    let blue = channels == 1 ? red : Float(pixels[channels * place + 2]) / 255
                    let luma: Float = 0.299 * red + 0.587 * green + 0.114 * blue
                    planes[place] = stored(219 * luma, from: 16)
                    planes[area + place] = stored(224 * (blue - luma) / 1.772, from: 128)
                    planes[2 * area + place] = stored(224 * (red - luma) / 1.402, from: 128)
                }
            }
            count = 3 * area
        }
    }

    /// A value above or below an offset, rounded to the nearest byte.
    private static func stored(_ value: Float, from offset: Float) -> UInt8 { UInt8(offset + value + 0.5) }
}
