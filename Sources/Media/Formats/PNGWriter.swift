import CZlib

/// Writes 8-bit gray and RGB images and clips as PNG (third edition, https://www.w3.org/TR/png-3/).
public enum PNGWriter {
    /// Texts of at least this many bytes are compressed where their chunk allows it.
    static let longText = 2048

    /// Encodes an image, its texts first and in their order.
    ///
    /// Equal input gives equal bytes with one version of zlib.
    ///
    /// - Throws: ``ImageError/unstorableText(keyword:reason:)`` for a keyword or text that a PNG cannot carry,
    ///   ``ImageError/tooLarge(what:limit:)`` for an image beyond 2^28 pixels.
    public static func encode(_ image: Image, text: [PNGText] = []) throws(ImageError) -> [UInt8] {
        try encode(Clip(image), text: text)
    }

    /// Encodes a clip as an animated PNG that is played for ever, and a still as a PNG without animation; texts as
    /// ``encode(_:text:)-(Image,_)`` does.
    ///
    /// The first frame is the picture that readers without animation show. Each frame is compressed by itself.
    ///
    /// - Throws: ``ImageError/unstorableText(keyword:reason:)``, ``ImageError/tooLarge(what:limit:)`` for more than 2^28
    ///   pixels in all frames.
    public static func encode(_ clip: Clip, text: [PNGText] = []) throws(ImageError) -> [UInt8] {
        let first = clip.frames[0]
        try ImageLimits.check(width: first.width, height: first.height, frames: clip.frames.count)
        var file = PNGChunk.signature
        let colourType: PNGHeader.ColourType = first.channels == 1 ? .gray : .rgb
        let header = PNGHeader(width: first.width, height: first.height, colourType: colourType)
        PNGChunk.append(.header, header.bytes, to: &file)
        if clip.moves {
            PNGChunk.append(.animationControl, PNGAnimationControl(frames: clip.frames.count).bytes, to: &file)
        }
        for entry in text {
            let (type, data) = try chunk(of: entry)
            PNGChunk.append(type, data, to: &file)
        }
        var sequence = 0
        for (index, frame) in clip.frames.enumerated() {
            if let rate = clip.framesPerSecond {
                let control = PNGFrameControl(
                    sequence: sequence, width: frame.width, height: frame.height, framesPerSecond: rate)
                PNGChunk.append(.frameControl, control.bytes, to: &file)
                sequence += 1
            }
            // On 20 noisy emoji of 64x64: 145,880 bytes; 157,976 with zlib's default strategy, 149,298 with Paeth alone,
            // 164,742 unfiltered. Level 6 is no faster.
            let data = try Zlib.deflate(filter(frame), level: 9, strategy: Z_FILTERED)
            if index == 0 {
                PNGChunk.append(.data, data, to: &file)
            } else {
                PNGChunk.append(.frameData, UInt32(truncatingIfNeeded: sequence).bigEndianBytes + data, to: &file)
                sequence += 1
            }
        }
        PNGChunk.append(.end, [], to: &file)
        return file
    }

    private static func chunk(of entry: PNGText) throws(ImageError) -> (PNGChunk.Kind, [UInt8]) {
        let keyword = try entry.keywordBytes()
        guard !entry.text.utf8.contains(0) else {
            throw .unstorableText(keyword: entry.keyword, reason: "the text holds the character NUL")
        }
        guard entry.text.utf8.count <= ImageLimits.inflatedText else {
            throw .unstorableText(keyword: entry.keyword, reason: "the text exceeds \(ImageLimits.inflatedText) bytes")
        }
        guard entry.isInternational else { return (.text, keyword + [0] + entry.text.latin1Bytes) }

        let plain = Array(entry.text.utf8)
        let packed = plain.count < longText ? nil : try Zlib.deflate(plain, level: 9)
        // Keyword, NUL, compression flag, compression method, empty language, NUL, empty translation, NUL, text.
        if let packed, packed.count < plain.count { return (.internationalText, keyword + [0, 1, 0, 0, 0] + packed) }
        return (.internationalText, keyword + [0, 0, 0, 0, 0] + plain)
    }

    /// Filters every row with whichever filter leaves the smallest sum of absolute differences (PNG, 12.7).
    private static func filter(_ image: Image) -> [UInt8] {
        let rowBytes = image.rowBytes
        // A row of zeros above the first.
        let rows = [UInt8](repeating: 0, count: rowBytes) + image.pixels
        var candidate = [UInt8](repeating: 0, count: rowBytes)
        var output = [UInt8](repeating: 0, count: (rowBytes + 1) * image.height)
        rows.withUnsafeBufferPointer { rows in
            candidate.withUnsafeMutableBufferPointer { candidate in
                output.withUnsafeMutableBufferPointer { output in
                    for y in 0..<image.height {
                        filter(
                            UnsafeBufferPointer(rebasing: rows[(y + 1) * rowBytes..<(y + 2) * rowBytes]),
                            previous: UnsafeBufferPointer(rebasing: rows[y * rowBytes..<(y + 1) * rowBytes]),
                            step: image.channels, candidate: candidate,
                            into: UnsafeMutableBufferPointer(
                                rebasing: output[y * (rowBytes + 1)..<(y + 1) * (rowBytes + 1)]))
                    }
                }
            }
        }
        return output
    }

    /// Writes the best filter's number and then the filtered row to `target`, trying each filter in `candidate`.
    private static func filter(
        _ row: UnsafeBufferPointer<UInt8>, previous: UnsafeBufferPointer<UInt8>, step: Int,
        candidate: UnsafeMutableBufferPointer<UInt8>, into target: UnsafeMutableBufferPointer<UInt8>
    ) {
        let filtered = UnsafeMutableBufferPointer(rebasing: target.dropFirst())
        var least = Int.max
        for filter in PNGFilter.allCases {
            filter.apply(row, previous: previous, step: step, into: candidate)
            let cost = sumOfAbsoluteValues(candidate)
            guard cost < least else { continue }
            least = cost
            target[0] = filter.rawValue
            _ = filtered.update(fromContentsOf: candidate)
        }
    }

    /// The sum over bytes read as signed numbers.
    private static func sumOfAbsoluteValues(_ bytes: UnsafeMutableBufferPointer<UInt8>) -> Int {
        var sum = 0
        for byte in bytes { sum &+= Int(min(byte, 0 &- byte)) }
        return sum
    }
}
