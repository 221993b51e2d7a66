import TestSupport
import Testing

@testable import Compute

@Suite struct KernelCheckTests {
    /// A convolution that writes zeros.
    private struct Nothing: PreparedConvolution {
        let outputs: Int
        let numberBytes = 4

        func encode(_ numbers: UnsafePointer<Float>, count: Int, into target: UnsafeMutableRawPointer) {}

        func run(
            rows: Int, width: Int, _ source: UnsafeRawPointer, bias: UnsafePointer<Float>,
            into target: UnsafeMutablePointer<Float>, _ finish: Convolution.Output
        ) { target.update(repeating: 0, count: rows * width * outputs) }
    }

    /// OpenBLAS, with an error in one of its functions.
    private struct Broken: Engine {
        enum Part: CaseIterable { case layers, products, attention, convolutions }

        let part: Part
        private let right = OpenBLASEngine()

        init(_ part: Part) { self.part = part }

        var arithmetic: Arithmetic { .standard }
        var packsWeights: Bool { false }

        func prepare(_ weight: WeightMatrix, bias: Tensor, role: LayerRole) -> any PreparedMap {
            guard part == .layers else { return right.prepare(weight, bias: bias, role: role) }
            // As a kernel does that leaves out what is beyond its last whole vector.
            var elements = weight.elements
            elements[elements.count - 1] = 0
            return right.prepare(WeightMatrix(Tensor(elements, shape: weight.shape)), bias: bias, role: role)
        }

        func prepare(_ shape: AttentionShape, workers: Workers) -> any PreparedAttention {
            guard part == .attention else { return right.prepare(shape, workers: workers) }
            return right.prepare(
                AttentionShape(
                    queries: shape.queries, keys: shape.keys - 1, heads: shape.heads,
                    headDimension: shape.headDimension, scale: shape.scale), workers: workers)
        }

        func prepare(taps: UnsafePointer<Float>, outputs: Int, inputs: Int) -> (any PreparedConvolution)? {
            part == .convolutions ? Nothing(outputs: outputs) : nil
        }

        func multiply(
            m: Int, n: Int, k: Int, _ a: UnsafePointer<Float>, lda: Int, _ b: UnsafePointer<Float>, ldb: Int,
            into c: UnsafeMutablePointer<Float>, ldc: Int, adding: Bool
        ) {
            right.multiply(m: m, n: n, k: k, a, lda: lda, b, ldb: ldb, into: c, ldc: ldc, adding: adding)
            if part == .products { c[(m - 1) * ldc + n - 1] *= 1.001 }
        }
    }

    @Test func `OpenBLAS is right here`() throws {
        try BLAS.open()
        try KernelCheck.check(OpenBLASEngine())
    }

    @Test(arguments: OneDNN.precisions)
    func `oneDNN is right here`(precision: Precision) throws {
        try KernelCheck.check(OneDNNEngine(precision: precision))
    }

    @Test(arguments: Broken.Part.allCases)
    private func `an engine with an error is refused, and what to do is said`(part: Broken.Part) throws {
        try BLAS.open()
        let error = try #require(throws: MachineError.self) { try KernelCheck.check(Broken(part)) }
        #expect("\(error)".contains("OPENBLAS_CORETYPE=Haswell"))
        #expect(!"\(error)".contains("\n"))
    }

    @Test func `the check takes no time that a person notices`() throws {
        try BLAS.open()
        try KernelCheck.check(OpenBLASEngine())
        let clock = ContinuousClock()
        let fastest = try (0..<5).map { _ in try clock.measure { try KernelCheck.check(OpenBLASEngine()) } }.min()
        #expect(fastest ?? .seconds(1) < .milliseconds(20))
    }
}
