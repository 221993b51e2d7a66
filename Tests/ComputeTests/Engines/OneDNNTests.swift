import Glibc
import TestSupport
import Testing

@testable import Compute

/// Whether there is a oneDNN here; where there is none, what needs it is not tested.
private let isThere = (try? OneDNN.open()) != nil
/// The precisions that are tested: those that the processor has kernels for.
private let precisions = OneDNN.precisions

@Suite(.enabled(if: isThere, "no oneDNN on this machine")) struct OneDNNTests {
    /// The normalised mean squared error that a precision may have against Double: squares of the rounding errors of its
    /// operands.
    private static func bound(_ precision: Precision) -> Double {
        switch precision {
        case .float32: 1e-12
        case .bfloat16: 1.5e-5
        case .int8: 6e-4
        }
    }

    private struct Layer {
        let weight, bias: [Float]
        let rows, inputs, outputs: Int
        let x: [Float]

        init(_ rows: Int, _ inputs: Int, _ outputs: Int) {
            (self.rows, self.inputs, self.outputs) = (rows, inputs, outputs)
            weight = noise(outputs * inputs, seed: 2)
            bias = noise(outputs, seed: 3)
            x = noise(rows * inputs, seed: 1)
        }

        func linear(_ precision: Precision, role: LayerRole = .block) throws -> Linear {
            try Linear(
                weight: WeightMatrix(Tensor(weight, shape: [outputs, inputs])), bias: Tensor(bias, shape: [outputs]),
                role: role, engine: OneDNNEngine(precision: precision))
        }

        func reference(_ activation: Activation?) -> [Double] {
            (0..<rows).flatMap { row in
                (0..<outputs).map { output -> Double in
                    var sum = Double(bias[output])
                    for input in 0..<inputs {
                        sum += Double(x[row * inputs + input]) * Double(weight[output * inputs + input])
                    }
                    switch activation {
                    case nil: return sum
                    case .silu: return sum / (1 + exp(-sum))
                    case .gelu:
                        return sum / 2 * (1 + tanh((2 / Double.pi).squareRoot() * (sum + 0.044715 * sum * sum * sum)))
                    }
                }
            }
        }
    }

    @Test(
        arguments: precisions,
        [(1, 1, 1), (3, 5, 7), (9, 24, 48), (64, 192, 576), (257, 33, 100), (5, 900, 1100), (33, 4, 16)])
    func `a linear layer is x W^T + b, as exactly as the precision allows`(
        precision: Precision, shape: (rows: Int, inputs: Int, outputs: Int)
    ) throws {
        let layer = Layer(shape.rows, shape.inputs, shape.outputs)
        let linear = try layer.linear(precision)
        for activation in [nil, .gelu, .silu] as [Activation?] {
            let y = Tensor([layer.rows, layer.outputs])
            linear(layer.x, rows: layer.rows, into: y.pointer, activation: activation, workers: Workers(count: 2))
            let error = normalisedMeanSquaredError(y.elements, against: layer.reference(activation))
            #expect(figure("\(precision), \(shape), \(activation as Any)", error, below: Self.bound(precision)))
        }
    }

    @Test(arguments: precisions)
    func `neither threads nor other blocks of rows change a bit of a layer`(precision: Precision) throws {
        for (rows, inputs, outputs) in [(64, 192, 576), (100, 384, 160), (257, 100, 33), (256, 1152, 1152)] {
            let layer = Layer(3 * rows, inputs, outputs)
            let linear = try layer.linear(precision)
            func product(_ blocks: Range<Int>, threads: Int) -> [Float] {
                let y = Tensor([blocks.count * rows, outputs])
                layer.x.withUnsafeBufferPointer { x in
                    guard let start = x.baseAddress else { return }
                    linear(
                        start + blocks.lowerBound * rows * inputs, blocks: blocks.count, rows: rows, into: y.pointer,
                        activation: .gelu, workers: Workers(count: threads))
                }
                return y.elements
            }
            let alone = (0..<3).flatMap { product($0..<$0 + 1, threads: 1) }
            for threads in [1, 2, 3, 16] {
                let together = product(0..<3, threads: threads)
                #expect(together == alone)
            }
        }
    }

    /// A mapped file may have them at odd addresses.
    @Test(arguments: precisions, [0, 1])
    func `weights that are stored in 16 bits give the same bits as their values in 32`(
        precision: Precision, offset: Int
    ) throws {
        let (rows, inputs, outputs) = (40, 96, 80)
        let layer = Layer(rows, inputs, outputs)
        let halves = layer.weight.map { UInt16($0.bitPattern >> 16) }
        let wide = Tensor(halves.map { Float(bitPattern: UInt32($0) << 16) }, shape: [outputs, inputs])
        let owner = Tensor([outputs * inputs / 2])
        let bytes = UnsafeMutableRawPointer.allocate(byteCount: 2 * halves.count + 1, alignment: 64)
        defer { bytes.deallocate() }
        UnsafeMutableRawBufferPointer(start: bytes + offset, count: 2 * halves.count)
            .copyBytes(from: halves.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] })
        let narrow = WeightMatrix(
            shape: [outputs, inputs], element: .bfloat16, address: UnsafeRawPointer(bytes + offset), owner: owner)
        let results = try [narrow, WeightMatrix(wide)].map { weight in
            let linear = try Linear(
                weight: weight, bias: Tensor(layer.bias, shape: [outputs]), engine: OneDNNEngine(precision: precision))
            let y = Tensor([rows, outputs])
            linear(layer.x, rows: rows, into: y.pointer, workers: Workers(count: 1))
            return y.elements
        }
        #expect(results[0] == results[1])
    }

    @Test func `edges are multiplied in 32 bits, modulations and what follows attention in 16 or more`() throws {
        let layer = Layer(16, 64, 48)
        func result(_ linear: Linear) -> [Float] {
            let y = Tensor([layer.rows, layer.outputs])
            linear(layer.x, rows: layer.rows, into: y.pointer, workers: Workers(count: 1))
            return y.elements
        }
        let exact = result(try layer.linear(.float32))
        for precision in precisions {
            let edge = result(try layer.linear(precision, role: .edge))
            #expect(edge == exact)
            guard precision == .int8, precisions.contains(.bfloat16) else { continue }
            let narrow = result(try layer.linear(.bfloat16))
            for role in [LayerRole.modulation, .afterAttention] {
                let found = result(try layer.linear(.int8, role: role))
                #expect(found == narrow, "\(role)")
            }
        }
    }

    @Test(
        arguments: precisions,
        [(1, 1, 1), (9, 2, 6), (64, 3, 64), (130, 2, 12), (300, 1, 72), (700, 1, 64), (70, 1, 300)])
    func `attention is the softmax-weighted mean of the values`(
        precision: Precision, shape: (tokens: Int, heads: Int, headDimension: Int)
    ) throws {
        let (tokens, heads, headDimension) = shape
        let qkv = noise(tokens * 3 * heads * headDimension, seed: 5)
        let results = try [1, 2, 3].map { threads in
            let workers = Workers(count: threads)
            let attention = Attention(
                tokens: tokens, heads: heads, headDimension: headDimension,
                engine: try OneDNNEngine(precision: precision), workers: workers)
            let output = Tensor([tokens, heads * headDimension])
            workers.run(tasks: attention.taskCount) { worker, task in
                attention.run(task: task, worker: worker, qkv: qkv, into: output.pointer)
            }
            return output.elements
        }
        let reference = attendedInDouble(qkv, shape)
        // Attention is of 16 bits where layers are of 8.
        let bound = precision == .float32 ? 1e-12 : Self.bound(.bfloat16)
        #expect(
            figure("\(precision), \(shape)", normalisedMeanSquaredError(results[0], against: reference), below: bound))
        #expect(results[1] == results[0] && results[2] == results[0])
    }

    @Test(
        arguments: [(Precision.bfloat16, Precision.bfloat16), (.int8, .bfloat16), (.int8, .int8)],
        [(1, 64, 48), (40, 96, 80), (300, 64, 32)])
    func `outputs written in fewer bits are those in 32, rounded`(
        of kinds: (layer: Precision, outputs: Precision), shape: (rows: Int, inputs: Int, outputs: Int)
    ) throws {
        guard precisions.contains(kinds.layer) else { return }
        let (rows, inputs, outputs) = shape
        let layer = Layer(rows, inputs, outputs)
        let linear = try layer.linear(kinds.layer)
        #expect(linear.canWrite(.float32) && linear.canWrite(kinds.outputs))
        let workers = Workers(count: 2)
        let y = Tensor([rows, outputs])
        linear(layer.x, rows: rows, into: y.pointer, activation: .gelu, workers: workers)
        let direct = NarrowRows(rows, outputs, kinds.outputs)
        let rounded = NarrowRows(rows, outputs, kinds.outputs)
        rounded.rows.encode(y.pointer, rows: rows)
        let scratch = ProductScratch()
        var finished: Set<Int> = []
        let operand = linear.encode(layer.x, rows: rows, into: scratch, workers: workers)
        linear(
            operand, rows: rows, into: direct.rows, activation: .gelu, workers: Workers(count: 1),
            finish: { finished.formUnion($0) })
        withExtendedLifetime(scratch) {}
        #expect(direct.bytes == rounded.bytes)
        #expect(finished == Set(0..<rows))
    }

    @Test func `layers of 16 bits do not write integers`() throws {
        guard precisions.contains(.bfloat16) else { return }
        #expect(try !Layer(8, 64, 32).linear(.bfloat16).canWrite(.int8))
    }

    @Test func `attention reads and writes 16 bits as it rounds those of 32`() throws {
        guard precisions.contains(.bfloat16) else { return }
        let (tokens, heads, headDimension) = (70, 2, 24)
        let width = heads * headDimension
        let qkv = Tensor(noise(tokens * 3 * width, seed: 5), shape: [tokens, 3 * width])
        let workers = Workers(count: 2)
        let attention = Attention(
            tokens: tokens, heads: heads, headDimension: headDimension, engine: try OneDNNEngine(precision: .bfloat16),
            workers: workers)
        #expect(attention.precision == .bfloat16)
        let output = Tensor([tokens, width])
        workers.run(tasks: attention.taskCount) { worker, task in
            attention.run(task: task, worker: worker, qkv: qkv.pointer, into: output.pointer)
        }
        let (inputs, direct, rounded) = (
            NarrowRows(tokens, 3 * width), NarrowRows(tokens, width), NarrowRows(tokens, width)
        )
        inputs.rows.encode(qkv.pointer, rows: tokens)
        rounded.rows.encode(output.pointer, rows: tokens)
        workers.run(tasks: attention.taskCount) { worker, task in
            attention.run(
                task: task, worker: worker, query: .init(inputs.rows), key: .init(inputs.rows, column: width),
                value: .init(inputs.rows, column: 2 * width), into: .init(direct.rows))
        }
        #expect(direct.bytes == rounded.bytes)
    }

    /// Rows of less than 32 bits, and their memory.
    private final class NarrowRows {
        private let memory, floats: Tensor
        private let byteCount: Int
        let rows: MatrixRows

        init(_ rows: Int, _ width: Int, _ precision: Precision = .bfloat16) {
            byteCount = MatrixRows.bytes(rows: rows, width: width, precision: precision)
            memory = Tensor([(byteCount + 3) / 4])
            floats = Tensor([rows, width])
            self.rows = MatrixRows(
                in: memory.pointer, beside: floats.pointer, rows: rows, width: width, precision: precision)
        }

        var bytes: [UInt8] { Array(UnsafeRawBufferPointer(start: memory.pointer, count: byteCount)) }
    }

    private func attendedInDouble(
        _ qkv: [Float], _ shape: (tokens: Int, heads: Int, headDimension: Int)
    ) -> [Double] {
        let (tokens, heads, size) = shape
        let width = heads * size
        func number(_ row: Int, _ part: Int, _ head: Int, _ index: Int) -> Double {
            Double(qkv[row * 3 * width + part * width + head * size + index])
        }
        return (0..<tokens).flatMap { query in
            (0..<heads).flatMap { head -> [Double] in
                let scores = (0..<tokens).map { key in
                    (0..<size).reduce(0) { $0 + number(query, 0, head, $1) * number(key, 1, head, $1) }
                        / Double(size).squareRoot()
                }
                let largest = scores.max() ?? 0
                let weights = scores.map { exp($0 - largest) }
                let sum = weights.reduce(0, +)
                return (0..<size).map { index in
                    (0..<tokens).reduce(0) { $0 + weights[$1] / sum * number($1, 2, head, index) }
                }
            }
        }
    }
}
