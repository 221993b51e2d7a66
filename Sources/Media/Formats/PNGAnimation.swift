/// What an animated PNG says of all its frames, in an `acTL` chunk (PNG, third edition, 11.3.6.1).
struct PNGAnimationControl: Equatable {
    /// How many frames there are.
    let frames: Int
    /// How often they are shown; 0 for ever.
    let plays: Int

    init(frames: Int, plays: Int = 0) {
        self.frames = frames
        self.plays = plays
    }

    init(_ chunk: PNGChunk) throws(ImageError) {
        guard chunk.data.count == 8 else { throw chunk.malformed("it has \(chunk.data.count) bytes, not 8") }
        let start = chunk.data.startIndex
        frames = Int(UInt32(bigEndian: chunk.data[start..<start + 4]))
        plays = Int(UInt32(bigEndian: chunk.data[start + 4..<start + 8]))
        guard (1...PNGChunk.largestNumber).contains(frames) else { throw chunk.malformed("\(frames) frames") }
    }

    /// The chunk's 8 bytes.
    var bytes: [UInt8] {
        UInt32(truncatingIfNeeded: frames).bigEndianBytes + UInt32(truncatingIfNeeded: plays).bigEndianBytes
    }
}

/// What an animated PNG says of one frame, in an `fcTL` chunk (PNG, third edition, 11.3.6.2), limited to what this
/// module decodes: frames that fill the picture and hide what was there.
struct PNGFrameControl: Equatable {
    /// The chunk's place among all that have one, `fdAT` too.
    let sequence: Int
    /// Pixels; the frame's upper left corner is that of the picture.
    let width, height: Int
    /// Frames a second, which is what a delay of 1 / n seconds makes; nil for another delay.
    let framesPerSecond: Int?

    init(sequence: Int, width: Int, height: Int, framesPerSecond: Int) {
        self.sequence = sequence
        self.width = width
        self.height = height
        self.framesPerSecond = framesPerSecond
    }

    /// Reads the chunk of a frame in a picture with this header.
    init(_ chunk: PNGChunk, header: PNGHeader) throws(ImageError) {
        let data = Array(chunk.data)
        guard data.count == 26 else { throw chunk.malformed("it has \(data.count) bytes, not 26") }
        func number(at place: Int) -> Int { Int(UInt32(bigEndian: data[place..<place + 4])) }
        sequence = number(at: 0)
        width = number(at: 4)
        height = number(at: 8)
        let (left, top) = (number(at: 12), number(at: 16))
        guard width > 0, height > 0, left + width <= header.width, top + height <= header.height else {
            throw chunk.malformed("a frame of \(width)x\(height) at \(left), \(top) is not within the picture")
        }
        guard data[24] <= 2, data[25] <= 1 else { throw chunk.malformed("an unknown way to dispose or to blend") }
        guard (width, height) == (header.width, header.height) else {
            throw .unsupportedAnimation("a frame is smaller than the picture")
        }
        guard data[25] == 0 || !header.colourType.hasAlpha else {
            throw .unsupportedAnimation("a frame is blended over the one before")
        }
        let delay = Int(data[20]) << 8 | Int(data[21])
        let base = Int(data[22]) << 8 | Int(data[23])
        // A base of 0 stands for hundredths.
        let rate = base == 0 ? 100 : base
        framesPerSecond =
            delay > 0 && rate.isMultiple(of: delay) && Clip.rates.contains(rate / delay) ? rate / delay : nil
    }

    /// The chunk's 26 bytes: the frame stays until the next one takes its place.
    var bytes: [UInt8] {
        let extents = [sequence, width, height, 0, 0].flatMap { UInt32(truncatingIfNeeded: $0).bigEndianBytes }
        let rate = UInt16(truncatingIfNeeded: framesPerSecond ?? 0)
        return extents + [0, 1, UInt8(rate >> 8), UInt8(truncatingIfNeeded: rate), 0, 0]
    }
}

extension PNGChunk {
    func malformed(_ reason: String) -> ImageError {
        .malformed(.png, offset: data.startIndex, reason: "\(kind.name): \(reason)")
    }
}
