import CZlib

/// Compression and decompression of whole buffers in the zlib format (RFC 1950), done by the system's zlib.
enum Zlib {
    /// How an inflation failed.
    enum InflateError: Error, Equatable {
        /// The stream is damaged or cut short.
        case damaged
        /// The stream goes on after `limit` bytes of output.
        case tooLong
        /// Bytes follow the end of the stream.
        case trailingBytes(Int)
    }

    /// No deflate stream grows more than this: its longest match, 258 bytes, costs at least two bits.
    static let largestRatio = 1032

    /// Compresses `bytes` at a level from 0 to 9; equal input gives equal output with one version of zlib.
    static func deflate(
        _ bytes: [UInt8], level: Int, strategy: Int32 = Z_DEFAULT_STRATEGY
    ) throws(ImageError) -> [UInt8] {
        var stream = z_stream()
        let opened = deflateInit2_(
            &stream, Int32(level), Z_DEFLATED, 15, 9, strategy, ZLIB_VERSION, streamSize)
        guard opened == Z_OK else { throw .compressionFailed(code: Int(opened)) }
        defer { deflateEnd(&stream) }

        let bound = Int(deflateBound(&stream, UInt(bytes.count)))
        guard let room = UInt32(exactly: bound), let length = UInt32(exactly: bytes.count) else {
            throw .tooLarge(what: "a block of \(bytes.count) bytes", limit: "4 GiB")
        }
        let (output, code) = run(CZlib.deflate, &stream, on: bytes[...], length: length, room: room)
        guard code == Z_STREAM_END else { throw .compressionFailed(code: Int(code)) }
        return output
    }

    /// Decompresses `bytes`, one whole stream, into at most `limit` bytes.
    ///
    /// Memory is taken for no more than what `bytes` can grow to.
    static func inflate(_ bytes: ArraySlice<UInt8>, limit: Int) throws(InflateError) -> [UInt8] {
        var stream = z_stream()
        guard inflateInit_(&stream, ZLIB_VERSION, streamSize) == Z_OK else { throw .damaged }
        defer { inflateEnd(&stream) }

        // One byte more than the limit: a full buffer tells a stream that goes on from one that ends there.
        let capacity = min(limit, bytes.count * largestRatio) + 1
        guard let room = UInt32(exactly: capacity), let length = UInt32(exactly: bytes.count) else { throw .tooLong }
        let (output, code) = run(CZlib.inflate, &stream, on: bytes, length: length, room: room)
        guard output.count <= limit else { throw .tooLong }
        guard code == Z_STREAM_END else { throw .damaged }
        guard stream.avail_in == 0 else { throw .trailingBytes(Int(stream.avail_in)) }
        return output
    }

    /// Gives an opened stream all `bytes`, of which there are `length`, at once, and takes at most `room` bytes of output.
    ///
    /// - Returns: The output and zlib's code.
    private static func run(
        _ step: (UnsafeMutablePointer<z_stream>?, Int32) -> Int32, _ stream: inout z_stream,
        on bytes: ArraySlice<UInt8>,
        length: UInt32, room: UInt32
    ) -> (output: [UInt8], code: Int32) {
        var code = Z_OK
        let output = [UInt8](unsafeUninitializedCapacity: Int(room)) { target, count in
            bytes.withUnsafeBufferPointer { source in
                stream.next_in = UnsafeMutablePointer(mutating: source.baseAddress)
                stream.avail_in = length
                stream.next_out = target.baseAddress
                stream.avail_out = room
                code = step(&stream, Z_FINISH)
            }
            count = Int(room - stream.avail_out)
        }
        return (output, code)
    }

    /// The checksum of PNG chunks.
    static func crc32(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        bytes.withUnsafeBufferPointer { UInt32(truncatingIfNeeded: crc32_z(0, $0.baseAddress, $0.count)) }
    }

    private static let streamSize = Int32(MemoryLayout<z_stream>.size)
}
