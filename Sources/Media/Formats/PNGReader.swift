/// Reads PNG (ISO/IEC 15948): the texts of any file, and the pixels of 8-bit files that are neither interlaced nor
/// indexed.
///
/// Every length and checksum is checked, and memory is taken only for what the file's size makes plausible.
public enum PNGReader {
    /// Whether a file begins as PNG files do.
    public static func isPNG(_ file: [UInt8]) -> Bool { file.starts(with: PNGChunk.signature) }

    /// Decodes the pixels; of an animation, those of the still picture.
    ///
    /// Alpha is laid over `background`, so that opaque pixels keep their bytes. Colour space chunks are ignored.
    ///
    /// - Throws: ``ImageError/malformed(_:offset:reason:)``, ``ImageError/unsupported(_:feature:)`` or
    ///   ``ImageError/tooLarge(what:limit:)``.
    public static func decode(_ file: [UInt8], background: Colour = .white) throws(ImageError) -> Image {
        let (header, offset, compressed) = try imageData(of: file)
        return try picture(compressed, header: header, offset: offset, background: background)
    }

    /// The picture of compressed pixels that stand at `offset` in the file.
    static func picture(
        _ compressed: [UInt8], header: PNGHeader, offset: Int, background: Colour
    ) throws(ImageError) -> Image {
        let filtered = try inflate(compressed, header: header, offset: offset)
        let samples = try unfilter(filtered, header: header, offset: offset)
        let channels = header.colourType == .gray || header.colourType == .grayAlpha ? 1 : 3
        let pixels =
            header.colourType.hasAlpha
            ? blend(samples, channels: channels, over: background.samples(channels: channels)) : samples
        return Image(width: header.width, height: header.height, channels: channels, pixels: pixels)
    }

    /// The size that the header declares, which ``decode(_:background:)`` holds the pixels to.
    ///
    /// - Throws: ``ImageError`` where the header is damaged, or that of an image that this module does not decode.
    public static func size(of file: [UInt8]) throws(ImageError) -> (width: Int, height: Int, channels: Int) {
        var chunks = try PNGChunks(file)
        guard let first = try chunks.next() else {
            throw .malformed(.png, offset: file.count, reason: "the header is missing")
        }
        let header = try PNGHeader(first)
        return (header.width, header.height, header.colourType.samples)
    }

    /// Reads the texts in their order, whatever the pixels' format.
    public static func text(in file: [UInt8]) throws(ImageError) -> [PNGText] {
        var chunks = try PNGChunks(file)
        var texts: [PNGText] = []
        var budget = ImageLimits.inflatedText
        while let chunk = try chunks.next() {
            if let text = try PNGText(chunk, budget: &budget) { texts.append(text) }
        }
        return texts
    }

    /// The header, and the compressed pixels with their place in the file; `visit` sees every chunk behind the header.
    static func imageData(
        of file: [UInt8], visit: (PNGHeader, PNGChunk) throws(ImageError) -> Void = { _, _ in }
    ) throws(ImageError) -> (header: PNGHeader, offset: Int, compressed: [UInt8]) {
        var chunks = try PNGChunks(file)
        guard let first = try chunks.next() else {
            throw .malformed(.png, offset: file.count, reason: "the header is missing")
        }
        let header = try PNGHeader(first)
        var compressed: [UInt8] = []
        var dataOffset: Int?
        var previous = first.kind
        while let chunk = try chunks.next() {
            try visit(header, chunk)
            switch chunk.kind {
            case .data:
                guard dataOffset == nil || previous == .data else {
                    throw .malformed(.png, offset: chunk.data.startIndex, reason: "the IDAT chunks are not in one row")
                }
                dataOffset = dataOffset ?? chunk.data.startIndex
                compressed += chunk.data
            case .transparency:
                throw .unsupported(.png, feature: "it has a transparent colour (tRNS)")
            case .palette where header.colourType == .rgb || header.colourType == .rgba, .end:
                break
            case let kind where kind.isCritical:
                throw .unsupported(.png, feature: "it has the critical chunk \(kind.name)")
            default:
                break
            }
            previous = chunk.kind
        }
        guard let dataOffset else { throw .malformed(.png, offset: file.count, reason: "there is no IDAT chunk") }
        return (header, dataOffset, compressed)
    }

    private static func inflate(_ data: [UInt8], header: PNGHeader, offset: Int) throws(ImageError) -> [UInt8] {
        let expected = header.filteredRowBytes * header.height
        let reason: String
        do {
            let filtered = try Zlib.inflate(data[...], limit: expected)
            if filtered.count == expected { return filtered }
            reason = "the image data hold \(filtered.count) bytes, not \(expected)"
        } catch {
            reason =
                switch error {
                case .damaged: "the image data are damaged or cut short"
                case .tooLong: "the image data hold more than \(expected) bytes"
                case .trailingBytes(let count): "\(count) bytes follow the image data"
                }
        }
        throw .malformed(.png, offset: offset, reason: reason)
    }

    private static func unfilter(
        _ filtered: [UInt8], header: PNGHeader, offset: Int
    ) throws(ImageError) -> [UInt8] {
        let stride = header.filteredRowBytes
        let rowBytes = stride - 1
        for y in 0..<header.height where PNGFilter(rawValue: filtered[y * stride]) == nil {
            let reason = "row \(y) has the unknown filter \(filtered[y * stride])"
            throw .malformed(.png, offset: offset, reason: reason)
        }
        let zeros = [UInt8](repeating: 0, count: rowBytes)
        return [UInt8](unsafeUninitializedCapacity: rowBytes * header.height) { samples, count in
            filtered.withUnsafeBufferPointer { filtered in
                zeros.withUnsafeBufferPointer { zeros in
                    var previous = zeros
                    for y in 0..<header.height {
                        let row = UnsafeMutableBufferPointer(rebasing: samples[y * rowBytes..<(y + 1) * rowBytes])
                        let source = UnsafeBufferPointer(rebasing: filtered[y * stride + 1..<(y + 1) * stride])
                        _ = row.initialize(fromContentsOf: source)
                        let filter = PNGFilter(rawValue: filtered[y * stride])
                        filter?.undo(row, previous: previous, step: header.colourType.samples)
                        previous = UnsafeBufferPointer(row)
                    }
                }
            }
            count = rowBytes * header.height
        }
    }

    /// Lays samples that end in alpha over a background, rounded to the nearest byte.
    private static func blend(_ samples: [UInt8], channels: Int, over background: [UInt8]) -> [UInt8] {
        var pixels: [UInt8] = []
        pixels.reserveCapacity(samples.count / (channels + 1) * channels)
        for start in stride(from: 0, to: samples.count, by: channels + 1) {
            let alpha = Int(samples[start + channels])
            for channel in 0..<channels {
                let mixed = Int(samples[start + channel]) * alpha + Int(background[channel]) * (255 - alpha)
                pixels.append(UInt8((mixed + 127) / 255))
            }
        }
        return pixels
    }
}
