import COneDNN
import Glibc
import Synchronization

/// The only access to oneDNN, which is loaded when it is first needed.
///
/// Its kernels run on the calling thread alone: its own threads would spin beside ``Workers``', and halve the speed of
/// both.
public enum OneDNN {
    /// Newer major versions first.
    private static let names = ["libdnnl.so.3", "libdnnl.so.2"]
    /// The address space that it takes with the libraries that it needs, rounded up.
    private static let libraryBytes = 256 << 20

    /// Opens oneDNN, if it is not open yet.
    ///
    /// - Throws: ``MachineError`` when the library is not there, or of a version that is not supported.
    public static func open() throws(MachineError) { try library.get() }

    private static let library: Result<Void, MachineError> = {
        let strings = names.map { $0.withCString { strdup($0) } }
        defer { strings.forEach { free($0) } }
        guard let problem = onednn_open(strings.map { UnsafePointer($0) }, Int32(strings.count)) else {
            return .success(())
        }
        // The loader does not say that a limit was too low.
        do throws(MachineError) {
            try AddressSpace.require(libraryBytes, for: "oneDNN")
        } catch {
            return .failure(error)
        }
        return .failure(
            .unusableLibrary(name: "oneDNN", package: "libdnnl-dev", reason: String(cString: problem)))
    }()

    /// The version of the library, such as 2.6.3; nil where there is none.
    public static var version: String? {
        let number = Int(onednn_version())
        return number == 0 ? nil : "\(number / 10000).\(number / 100 % 100).\(number % 100)"
    }

    /// Why it cannot be used; nil where it can.
    public static var problem: String? {
        if case .failure(let error) = library { "\(error)" } else { nil }
    }

    /// What the user has limited its kernels to; nil where nothing.
    static var limit: String? {
        (getenv("DNNL_MAX_CPU_ISA") ?? getenv("ONEDNN_MAX_CPU_ISA")).map { String(cString: $0) }
    }

    /// The precisions that it has kernels for on this processor; none where it cannot be opened.
    ///
    /// Of less than 32 bits, only those whose instructions the processor has: in others' place oneDNN has slower ones, and
    /// its sums of 8 bits overflow without them.
    public static let precisions: [Precision] = Precision.allCases.filter { precision in
        guard (try? open()) != nil, let product = OneDNNProduct.make(OneDNNProduct.Shape(probing: precision)) else {
            return false
        }
        guard precision != .float32 else { return true }
        let kernel = product.kernel
        return kernel.hasPrefix("brg") && ["bf16", "vnni", "amx", "avx10"].contains { kernel.contains($0) }
    }
}

/// A product of one shape that oneDNN has generated code for. Any number of threads may make it at the same time.
final class OneDNNProduct: @unchecked Sendable {
    /// C (m, n) = A (m, k) B (k, n), then what follows.
    struct Shape: Hashable {
        var m, n, k: Int
        /// The distance between rows of B as it is stored; nil where B is packed.
        var distance: Int?
        /// Whether B is stored as (n, k).
        var isTransposed = true
        var operands: Precision
        /// C is of integers of 32 bits where the operands are integers.
        var results = Precision.float32
        var hasBias = true
        var activation: Activation?
        /// The rows of the product whose packed B is used; nil for this one's own.
        var packedForRows: Int?
    }

    let shape: Shape
    private let product: OpaquePointer

    private init(_ shape: Shape, _ product: OpaquePointer) {
        self.shape = shape
        self.product = product
    }

    deinit { onednn_product_destroy(product) }

    /// The products that have been made so far. They are few: a network has some shapes of layers, each with some numbers
    /// of rows.
    private static let made = Mutex<[Shape: OneDNNProduct?]>([:])

    /// The product of a shape, made when it is first asked for; nil where oneDNN has no fast kernel for it.
    static func make(_ shape: Shape) -> OneDNNProduct? {
        if let found = made.withLock({ $0[shape] }) { return found }
        var reference: OneDNNProduct?
        if let rows = shape.packedForRows, rows != shape.m {
            var packed = shape
            (packed.m, packed.packedForRows, packed.activation) = (rows, rows, nil)
            reference = make(packed)
            guard reference != nil else { return nil }
        }
        var description = onednn_shape(
            m: Int64(shape.m), n: Int64(shape.n), k: Int64(shape.k), lda: Int64(shape.k), ldc: Int64(shape.n),
            ldb: Int64(shape.distance ?? 0), b_is_transposed: shape.isTransposed ? 1 : 0,
            a_type: shape.operands.type, b_type: shape.operands.type,
            c_type: shape.operands == .int8 ? ONEDNN_S32 : shape.results.type, has_bias: shape.hasBias ? 1 : 0,
            activation: shape.activation.code)
        let product = onednn_product_create(&description, reference?.product).map { OneDNNProduct(shape, $0) }
        return made.withLock { made in
            // Another thread may have been faster.
            if let found = made[shape] { return found }
            made[shape] = product
            return product
        }
    }

    /// The memory that B takes once it is packed, in bytes.
    var packedBytes: Int { onednn_product_packed_bytes(product) }

    /// Packs B, stored as (n, k) in rows without gaps.
    ///
    /// - Returns: whether that was possible.
    func pack(_ weights: UnsafeRawPointer, into packed: UnsafeMutableRawPointer) -> Bool {
        onednn_product_pack(product, weights, shape.operands.type, Int64(shape.k), packed) != 0
    }

    /// Makes the product on the calling thread.
    func run(
        _ a: UnsafeRawPointer, _ b: UnsafeRawPointer, bias: UnsafePointer<Float>? = nil,
        into c: UnsafeMutableRawPointer
    ) {
        guard onednn_product_run(product, a, b, bias, c) != 0 else {
            // What is checked when a product is made leaves memory as the only reason.
            preconditionFailure("oneDNN could not multiply \(shape)")
        }
    }

    /// The name that oneDNN has for the code that multiplies.
    var kernel: String { String(cString: onednn_product_kernel(product)) }
}

extension OneDNNProduct.Shape {
    /// A small product, to see whether there are kernels at all.
    init(probing precision: Precision) {
        self.init(m: 64, n: 64, k: 64, operands: precision, hasBias: precision != .int8)
    }
}

extension Precision {
    fileprivate var type: onednn_type {
        switch self {
        case .float32: ONEDNN_F32
        case .bfloat16: ONEDNN_BF16
        case .int8: ONEDNN_S8
        }
    }

    /// The size of an operand's number, in bytes.
    var size: Int {
        switch self {
        case .float32: 4
        case .bfloat16: 2
        case .int8: 1
        }
    }
}

extension Activation? {
    fileprivate var code: onednn_activation {
        switch self {
        case nil: ONEDNN_NONE
        case .gelu: ONEDNN_GELU_TANH
        case .silu: ONEDNN_SWISH
        }
    }
}
