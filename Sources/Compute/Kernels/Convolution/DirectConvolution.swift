/// A convolution by an engine's own kernels.
///
/// The map is cut into bands of rows. The rows of a band, normalised and upsampled, and those above and below are written
/// in the form in which the engine reads them, then blocks of rows are convolved, one for each task.
struct DirectConvolution: ConvolutionWay {
    /// What convolves.
    let prepared: any PreparedConvolution
    /// How many bytes of a band are written at most, but for a block: they stay in a last-level cache.
    var bandBytes = 1 << 24

    /// The most rows of a block.
    private static let mostRows = 8
    /// The pixels that are widened in one go: they stay in a first-level cache.
    private static let pixelsAtOnce = 16

    func run(
        _ input: FeatureMap, affine: ChannelAffine?, shift: Int, into output: FeatureMap, bias: Tensor,
        _ finish: Convolution.Output, workspace: ConvolutionWorkspace, workers: Workers
    ) {
        let line = output.width * input.stride * prepared.numberBytes
        // All blocks are alike, since an engine prepares for each size.
        let height = (1...min(Self.mostRows, output.height)).last { output.height.isMultiple(of: $0) } ?? 1
        let rowsPerBand = min(output.height, max(1, bandBytes / (line * height)) * height)
        workspace.reserve(filters: 0, band: ((rowsPerBand + 2) * line + 3) / 4, tiles: 0, products: 0)
        let band = UnsafeMutableRawPointer(workspace.band.pointer)
        for first in stride(from: 0, to: output.height, by: rowsPerBand) {
            let rows = min(rowsPerBand, output.height - first)
            workers.run(tasks: rows + 2) { _, row in
                write(
                    row: first - 1 + row, of: input, affine: affine, shift: shift, height: output.height,
                    into: band + row * line)
            }
            workers.run(tasks: rows / height) { _, block in
                let start = block * height
                prepared.run(
                    rows: height, width: output.width, band + start * line, bias: bias.pointer,
                    into: output.values.pointer + (first + start) * output.width * output.stride, finish)
            }
        }
    }

    /// Writes a row of the input as the engine reads it; zeros outside the map.
    private func write(
        row y: Int, of input: FeatureMap, affine: ChannelAffine?, shift: Int, height: Int,
        into line: UnsafeMutableRawPointer
    ) {
        let pixelBytes = input.stride * prepared.numberBytes
        guard (0..<height).contains(y) else {
            line.initializeMemory(as: UInt8.self, repeating: 0, count: (input.width << shift) * pixelBytes)
            return
        }
        let source = input.values.pointer + (y >> shift) * input.width * input.stride
        let capacity = Self.pixelsAtOnce * input.stride
        withUnsafeTemporaryAllocation(of: Float.self, capacity: capacity) { scratch in
            guard let scratch = scratch.baseAddress else { return }
            for x in stride(from: 0, to: input.width, by: Self.pixelsAtOnce) {
                let pixels = min(Self.pixelsAtOnce, input.width - x)
                var numbers = UnsafePointer(source + x * input.stride)
                if let affine {
                    affine.apply(numbers, pixels: pixels, stride: input.stride, into: scratch)
                    numbers = UnsafePointer(scratch)
                }
                guard shift > 0 else {
                    prepared.encode(numbers, count: pixels * input.stride, into: line + x * pixelBytes)
                    continue
                }
                for pixel in 0..<pixels {
                    let target = line + 2 * (x + pixel) * pixelBytes
                    prepared.encode(numbers + pixel * input.stride, count: input.stride, into: target)
                    (target + pixelBytes).copyMemory(from: target, byteCount: pixelBytes)
                }
            }
        }
    }
}
