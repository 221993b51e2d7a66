/// Animated PNG (PNG, third edition, chapter 4.9): frames that all fill the picture, at one rate.
extension PNGReader {
    /// Decodes all frames; a file without an animation is a still.
    ///
    /// Alpha is laid over `background`, as by ``decode(_:background:)``.
    ///
    /// - Throws: ``ImageError/malformed(_:offset:reason:)``, ``ImageError/unsupported(_:feature:)`` or
    ///   ``ImageError/tooLarge(what:limit:)`` for more than 2^28 pixels in all frames.
    public static func clip(_ file: [UInt8], background: Colour = .white) throws(ImageError) -> Clip {
        var frames = PNGFrames()
        let (header, offset, compressed) = try imageData(of: file) { header, chunk throws(ImageError) in
            try frames.add(chunk, of: header)
        }
        guard let control = frames.control else {
            return Clip(try picture(compressed, header: header, offset: offset, background: background))
        }
        let (streams, rate) = try frames.finished(control, size: file.count)
        try ImageLimits.check(width: header.width, height: header.height, frames: streams.count)
        var pictures: [Image] = []
        for stream in streams {
            pictures.append(
                try picture(stream.data, header: header, offset: stream.offset, background: background))
        }
        return Clip(pictures, framesPerSecond: rate)
    }

    /// How many frames the file announces before its pixels, 1 for a still, and their rate, which ``clip(_:background:)``
    /// holds the file to.
    ///
    /// - Throws: ``ImageError`` where what stands before the pixels is damaged, or of an image that this module does not
    ///   decode.
    public static func frames(of file: [UInt8]) throws(ImageError) -> (count: Int, framesPerSecond: Int?) {
        var chunks = try PNGChunks(file)
        guard let first = try chunks.next() else {
            throw .malformed(.png, offset: file.count, reason: "the header is missing")
        }
        let header = try PNGHeader(first)
        var frames = PNGFrames()
        while let chunk = try chunks.next(), chunk.kind != .data { try frames.add(chunk, of: header) }
        guard let control = frames.control else { return (1, nil) }
        return (control.frames, frames.framesPerSecond)
    }
}

/// The chunks of an animation, collected in their order.
private struct PNGFrames {
    /// The compressed pixels of a frame, and where they begin in the file.
    typealias Stream = (offset: Int, data: [UInt8])

    private(set) var control: PNGAnimationControl?
    /// That of the first frame.
    private(set) var framesPerSecond: Int?
    private var streams: [Stream] = []
    private var sequence = 0
    private var hasPixels = false

    /// Takes the next chunk of the file; those that have nothing to do with the animation, too.
    mutating func add(_ chunk: PNGChunk, of header: PNGHeader) throws(ImageError) {
        switch chunk.kind {
        case .animationControl:
            guard control == nil, !hasPixels else { throw chunk.malformed("it stands in a wrong place") }
            control = try PNGAnimationControl(chunk)
        case .frameControl where control != nil:
            let frame = try PNGFrameControl(chunk, header: header)
            try take(frame.sequence, chunk)
            guard streams.last.map({ !$0.data.isEmpty }) ?? !hasPixels else {
                throw streams.isEmpty
                    ? .unsupportedAnimation("its still picture is none of them")
                    : chunk.malformed("the frame before it has no pixels")
            }
            guard let rate = frame.framesPerSecond, rate == framesPerSecond ?? rate else {
                throw .unsupportedAnimation("they do not follow at a steady, whole number a second")
            }
            framesPerSecond = rate
            streams.append((chunk.data.endIndex, []))
        case .data:
            hasPixels = true
            guard control != nil else { return }
            guard streams.count == 1 else {
                throw streams.isEmpty
                    ? .unsupportedAnimation("its still picture is none of them")
                    : chunk.malformed("it is not in the first frame")
            }
            streams[0].data += chunk.data
        case .frameData where control != nil:
            guard chunk.data.count >= 4, streams.count > 1 else { throw chunk.malformed("it belongs to no frame") }
            let start = chunk.data.startIndex
            try take(Int(UInt32(bigEndian: chunk.data[start..<start + 4])), chunk)
            streams[streams.count - 1].data += chunk.data[(start + 4)...]
        default:
            break
        }
    }

    /// The frames and their rate, once the whole file has been read.
    func finished(_ control: PNGAnimationControl, size: Int) throws(ImageError) -> (streams: [Stream], rate: Int) {
        guard streams.count == control.frames, let framesPerSecond else {
            let reason = "\(control.frames) frames are announced, and \(streams.count) are there"
            throw .malformed(.png, offset: size, reason: reason)
        }
        return (streams, framesPerSecond)
    }

    private mutating func take(_ number: Int, _ chunk: PNGChunk) throws(ImageError) {
        guard number == sequence else { throw chunk.malformed("its number is \(number), not \(sequence)") }
        sequence += 1
    }
}
