import COneDNN
import Synchronization

/// A convolution of 3 x 3 taps by oneDNN in bfloat16: pixels and taps are rounded, sums are not.
final class OneDNNConvolution: PreparedConvolution {
    /// (outputs, inputs, 3, 3), rounded.
    private let taps: Tensor
    private let inputs, outputs: Int
    /// oneDNN packs taps for one shape alone. A decoder uses each of its convolutions at one or two.
    private let packed = Mutex<[OneDNNConvolutionKernel.Shape: Tensor]>([:])

    let numberBytes = 2

    /// Copies taps (outputs, inputs, 3, 3); nil where minimal filtering in float32 is faster: where channels do not fill
    /// vectors, and on processors without AMX, whose 16-bit products are at most twice as fast as those of 32 bits.
    init?(_ weight: UnsafePointer<Float>, outputs: Int, inputs: Int) {
        let vector = Vector.scalarCount
        guard inputs.isMultiple(of: vector), outputs.isMultiple(of: vector), inputs > vector, outputs > vector,
            let kernel = OneDNNConvolutionKernel.make(.probing(inputs: inputs, outputs: outputs)),
            kernel.name.contains("amx")
        else { return nil }
        (self.outputs, self.inputs) = (outputs, inputs)
        let count = outputs * inputs * 9
        taps = Tensor(uninitialized: [(count + 1) / 2])
        BFloat16.narrow(weight, into: taps.pointer, count: count)
    }

    func encode(_ numbers: UnsafePointer<Float>, count: Int, into target: UnsafeMutableRawPointer) {
        BFloat16.narrow(numbers, into: target, count: count)
    }

    func run(
        rows: Int, width: Int, _ source: UnsafeRawPointer, bias: UnsafePointer<Float>,
        into target: UnsafeMutablePointer<Float>, _ finish: Convolution.Output
    ) {
        let shape = OneDNNConvolutionKernel.Shape(
            rows: rows, width: width, inputs: inputs, outputs: outputs, finish: finish)
        guard let kernel = OneDNNConvolutionKernel.make(shape) else {
            preconditionFailure("oneDNN has kernels for other sizes, and none for \(shape)")
        }
        let taps = packed.withLock { packed in
            if let found = packed[shape] { return found }
            let new = kernel.pack(self.taps)
            packed[shape] = new
            return new
        }
        kernel.run(source, taps.pointer, bias: bias, into: target)
    }
}

/// A convolution of one shape that oneDNN has generated code for. Any number of threads may make it at the same time.
private final class OneDNNConvolutionKernel: @unchecked Sendable {
    /// From (rows + 2, width, inputs) to (rows, width, outputs).
    struct Shape: Hashable {
        let rows, width, inputs, outputs: Int
        let finish: Convolution.Output

        /// A common size, to see which kernels there are.
        static func probing(inputs: Int, outputs: Int) -> Shape {
            Shape(rows: 8, width: 64, inputs: inputs, outputs: outputs, finish: Convolution.Output())
        }
    }

    private let convolution: OpaquePointer

    private init(_ convolution: OpaquePointer) { self.convolution = convolution }

    deinit { onednn_convolution_destroy(convolution) }

    /// The kernels that have been made so far: a decoder has some sizes of maps.
    private static let made = Mutex<[Shape: OneDNNConvolutionKernel?]>([:])

    /// The kernel of a shape, made when it is first asked for; nil where oneDNN has no fast one.
    static func make(_ shape: Shape) -> OneDNNConvolutionKernel? {
        made.withLock { made in
            if let found = made[shape] { return found }
            var description = onednn_convolution_shape(
                height: Int64(shape.rows), width: Int64(shape.width), inputs: Int64(shape.inputs),
                outputs: Int64(shape.outputs), type: ONEDNN_BF16, is_added: shape.finish.isAdded ? 1 : 0,
                activation: shape.finish.isRectified ? ONEDNN_RELU : ONEDNN_NONE)
            let kernel = onednn_convolution_create(&description).map { OneDNNConvolutionKernel($0) }
            made[shape] = kernel
            return kernel
        }
    }

    /// Taps (outputs, inputs, 3, 3) in bfloat16 in the form in which the kernel reads them.
    func pack(_ taps: Tensor) -> Tensor {
        let packed = Tensor(uninitialized: [(onednn_convolution_packed_bytes(convolution) + 3) / 4])
        guard onednn_convolution_pack(convolution, taps.pointer, packed.pointer) != 0 else {
            preconditionFailure("oneDNN could not pack the taps of a kernel of its own")
        }
        return packed
    }

    /// Convolves on the calling thread.
    func run(
        _ source: UnsafeRawPointer, _ taps: UnsafePointer<Float>, bias: UnsafePointer<Float>,
        into target: UnsafeMutablePointer<Float>
    ) {
        guard onednn_convolution_run(convolution, source, taps, bias, target) != 0 else {
            // What is checked when a kernel is made leaves memory as the only reason.
            preconditionFailure("oneDNN could not convolve")
        }
    }

    /// The name that oneDNN has for the code.
    var name: String { String(cString: onednn_convolution_kernel(convolution)) }
}
