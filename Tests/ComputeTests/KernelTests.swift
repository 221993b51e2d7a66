import Compute
import Glibc
import TestSupport
import Testing

/// Every kernel is held against the textbook formula in Double, over odd and tiny shapes.
///
/// The bound on the normalised mean squared error is 1e-12; single precision alone gives about 1e-14.
@Suite struct KernelTests {
    private static let bound = 1e-12

    private static func expect(
        _ name: String, _ output: Tensor, _ reference: [Double], sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let error = normalisedMeanSquaredError(output.elements, against: reference)
        #expect(figure("\(name), \(reference.count) elements", error, below: bound), sourceLocation: sourceLocation)
    }

    @Test func `the exponential is within two units in the last place`() {
        var worst = 0.0
        for step in 0..<200_000 {
            let x = Float(-87 + 175 * Double(step) / 200_000)
            let reference = exp(Double(x))
            let error = abs(Double(exponential(Vector(repeating: x))[3]) - reference)
            worst = error.isNaN ? .infinity : max(worst, error / Double(Float(reference).ulp))
        }
        #expect(figure("exponential, units in the last place", worst, below: 2))
    }

    @Test func `the exponential stays finite and positive beyond its range`() {
        for x in [Float(-1e30), -.infinity, -88, 89, 1e30, .infinity] {
            let value = exponential(Vector(repeating: x))[0]
            #expect(value.isNormal)
            #expect((value > 1) == (x > 0))
        }
        #expect(exponential(Vector(repeating: .nan))[0].isNaN)
    }

    @Test(arguments: [Activation.gelu, .silu], [1, 5, 16, 33, 1000])
    func `activations follow their formulas`(activation: Activation, count: Int) {
        let input = noise(count, seed: 3, scale: 4) + [100, -100, 0]
        let count = input.count
        let output = Tensor(input, shape: [count])
        activation.apply(to: output.pointer, count: count)
        let reference = input.map { value -> Double in
            let x = Double(value)
            switch activation {
            case .silu: return x / (1 + exp(-x))
            case .gelu: return x / 2 * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
            }
        }
        Self.expect(#function, output, reference)
    }

    @Test(arguments: [1, 3, 64], [1, 6, 16, 24, 193, 1152])
    func `layer norm modulates the normalised row`(rows: Int, width: Int) {
        let x = noise(rows * width, seed: 1, scale: 3, offset: 2)
        let shift = noise(width, seed: 2)
        let scale = noise(width, seed: 3)
        let output = Tensor([rows, width])
        LayerNorm.modulated(
            x, rows: rows, width: width, epsilon: 1e-6, shift: shift, scale: scale, into: output.pointer)
        var reference: [Double] = []
        for row in 0..<rows {
            let values = x[row * width..<(row + 1) * width].map(Double.init)
            let mean = values.reduce(0, +) / Double(width)
            let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(width)
            for (index, value) in values.enumerated() {
                let normal = (value - mean) / (variance + Double(Float(1e-6))).squareRoot()
                reference.append(normal * (1 + Double(scale[index])) + Double(shift[index]))
            }
        }
        Self.expect(#function, output, reference)
    }

    @Test(arguments: [(1, 1, 1), (3, 7, 5), (9, 48, 24), (64, 576, 192), (257, 100, 33), (5, 1100, 900)], [1, 2, 3])
    func `a linear layer is x W^T + b`(shape: (rows: Int, outputs: Int, inputs: Int), threads: Int) {
        let (rows, outputs, inputs) = shape
        let x = noise(rows * inputs, seed: 1)
        let weight = noise(outputs * inputs, seed: 2)
        let bias = noise(outputs, seed: 3)
        let layer = Linear(weight: Tensor(weight, shape: [outputs, inputs]), bias: Tensor(bias, shape: [outputs]))
        let output = Tensor([rows, outputs])
        layer(x, rows: rows, into: output.pointer, workers: Workers(count: threads))
        var reference: [Double] = []
        for row in 0..<rows {
            for column in 0..<outputs {
                var sum = Double(bias[column])
                for index in 0..<inputs {
                    sum += Double(x[row * inputs + index]) * Double(weight[column * inputs + index])
                }
                reference.append(sum)
            }
        }
        Self.expect(#function, output, reference)
    }

    @Test(
        arguments: [
            (1, 1, 1), (9, 2, 6), (16, 4, 8), (64, 3, 64), (130, 2, 12), (300, 1, 5), (700, 1, 64), (70, 1, 300),
        ], [1, 2])
    func `attention is the softmax-weighted mean of the values`(
        shape: (tokens: Int, heads: Int, headDimension: Int), threads: Int
    ) {
        let (tokens, heads, headDimension) = shape
        let qkv = noise(tokens * 3 * heads * headDimension, seed: 5, scale: 2)
        let output = attend(qkv, shape, threads: threads)
        let reference = attend(qkv.map(Double.init), tokens: tokens, heads: heads, headDimension: headDimension)
        Self.expect(#function, output, reference)
    }

    @Test func `attention survives scores whose exponentials would overflow`() {
        let qkv = noise(16 * 3 * 16, seed: 6, scale: 20)
        let output = attend(qkv, (tokens: 16, heads: 2, headDimension: 8), threads: 1)
        let reference = attend(qkv.map(Double.init), tokens: 16, heads: 2, headDimension: 8)
        // Scores of some hundreds keep only five digits behind the point in single precision.
        #expect(normalisedMeanSquaredError(output.elements, against: reference) < 1e-8)
    }

    private func attend(_ qkv: [Float], _ shape: (tokens: Int, heads: Int, headDimension: Int), threads: Int) -> Tensor
    {
        let workers = Workers(count: threads)
        let attention = Attention(
            tokens: shape.tokens, heads: shape.heads, headDimension: shape.headDimension, workers: workers)
        let output = Tensor([shape.tokens, shape.heads * shape.headDimension])
        workers.run(tasks: attention.taskCount) { worker, task in
            attention.run(task: task, worker: worker, qkv: qkv, into: output.pointer)
        }
        return output
    }

    @Test func `the number of threads changes no bit of attention`() {
        let qkv = noise(300 * 3 * 128, seed: 4)
        let attended = [1, 2, 3, 16].map {
            attend(qkv, (tokens: 300, heads: 2, headDimension: 64), threads: $0).elements
        }
        #expect(attended.dropFirst().allSatisfy { $0 == attended[0] })
    }

    @Test(arguments: [1, 7, 96])
    func `a gated residual adds gate times y to every row`(width: Int) {
        let rows = 5
        let x = noise(rows * width, seed: 1)
        let y = noise(rows * width, seed: 2)
        let gate = noise(width, seed: 3)
        let output = Tensor(x, shape: [rows, width])
        Elementwise.addGated(y, gate: gate, rows: rows, width: width, to: output.pointer)
        let reference = x.indices.map { Double(x[$0]) + Double(gate[$0 % width]) * Double(y[$0]) }
        Self.expect(#function, output, reference)
    }

    /// Queries, keys and values of `heads` heads in matrices of their own, with gaps between their rows.
    private struct Apart {
        let (heads, headDimension): (Int, Int)
        let queries, keys: Int
        let q, k, v, mask: [Float]

        init(queries: Int, keys: Int, heads: Int, headDimension: Int) {
            (self.heads, self.headDimension, self.queries, self.keys) = (heads, headDimension, queries, keys)
            q = noise(queries * (heads * headDimension + 3), seed: 7, scale: 2)
            k = noise(keys * (heads * headDimension + 5), seed: 8, scale: 2)
            v = noise(keys * (heads * headDimension + 1), seed: 9, scale: 2)
            mask = noise(queries * keys, seed: 10, scale: 3)
        }

        func attended(masked: Bool, threads: Int) -> [Float] {
            let (width, workers) = (heads * headDimension, Workers(count: threads))
            let attention = Attention(
                queries: queries, keys: keys, heads: heads, headDimension: headDimension, workers: workers)
            let output = Tensor([queries, width + 2])
            output.values.update(repeating: 7)
            workers.run(tasks: attention.taskCount) { worker, task in
                q.withUnsafeBufferPointer { q in
                    k.withUnsafeBufferPointer { k in
                        v.withUnsafeBufferPointer { v in
                            mask.withUnsafeBufferPointer { mask in
                                guard let q = q.baseAddress, let k = k.baseAddress, let v = v.baseAddress,
                                    let mask = mask.baseAddress
                                else { return }
                                attention.run(
                                    task: task, worker: worker, query: .init(q, distance: width + 3),
                                    key: .init(k, distance: width + 5), value: .init(v, distance: width + 1),
                                    mask: masked ? .init(mask, distance: keys) : nil,
                                    into: .init(output.pointer, distance: width + 2))
                            }
                        }
                    }
                }
            }
            return output.elements
        }

        func reference(masked: Bool) -> [Double] {
            let width = heads * headDimension
            return (0..<queries).flatMap { query in
                (0..<heads).flatMap { head -> [Double] in
                    let scores = (0..<keys).map { key -> Double in
                        let product = (0..<headDimension).reduce(0.0) { sum, index in
                            let column = head * headDimension + index
                            return sum + Double(q[query * (width + 3) + column]) * Double(k[key * (width + 5) + column])
                        }
                        return product / Double(headDimension).squareRoot()
                            + (masked ? Double(mask[query * keys + key]) : 0)
                    }
                    let largest = scores.max() ?? 0
                    let weights = scores.map { exp($0 - largest) }
                    let sum = weights.reduce(0, +)
                    return (0..<headDimension).map { index in
                        (0..<keys).reduce(0.0) {
                            $0 + weights[$1] * Double(v[$1 * (width + 1) + head * headDimension + index])
                        } / sum
                    }
                } + [7, 7]
            }
        }
    }

    @Test(
        arguments: [(5, 9, 2, 6), (33, 1, 1, 8), (1, 70, 3, 64), (130, 77, 4, 16), (64, 300, 2, 72), (20, 11, 1, 300)],
        [false, true])
    func `queries may attend to keys of another number, wherever they lie, under a mask`(
        shape: (queries: Int, keys: Int, heads: Int, headDimension: Int), masked: Bool
    ) {
        let apart = Apart(
            queries: shape.queries, keys: shape.keys, heads: shape.heads, headDimension: shape.headDimension)
        let one = apart.attended(masked: masked, threads: 1)
        // What lies between the rows of the result is left alone.
        #expect(normalisedMeanSquaredError(one, against: apart.reference(masked: masked)) < 1e-11)
        #expect(apart.attended(masked: masked, threads: 2) == one)
    }

    @Test func `one row of a mask may serve all queries, and minus infinity leaves keys out`() {
        let (queries, keys, width) = (12, 20, 8)
        let (q, k, v) = (
            Tensor(noise(queries * width, seed: 1), shape: [queries, width]),
            Tensor(noise(keys * width, seed: 2), shape: [keys, width]),
            Tensor(noise(keys * width, seed: 3), shape: [keys, width])
        )
        let mask = Tensor((0..<keys).map { $0 < 13 ? 0 : -Float.infinity }, shape: [keys])
        func attend(_ count: Int, mask: Tensor?) -> [Float] {
            let workers = Workers(count: 1)
            let attention = Attention(
                queries: queries, keys: count, heads: 2, headDimension: width / 2, workers: workers)
            let output = Tensor([queries, width])
            workers.run(tasks: attention.taskCount) { worker, task in
                attention.run(
                    task: task, worker: worker, query: .init(q.pointer, distance: width),
                    key: .init(k.pointer, distance: width), value: .init(v.pointer, distance: width),
                    mask: mask.map { .init($0.pointer, distance: 0) },
                    into: .init(output.pointer, distance: width))
            }
            return output.elements
        }
        let short = attend(13, mask: nil)
        #expect(normalisedMeanSquaredError(attend(keys, mask: mask), against: short) < 1e-12)
        #expect(attend(keys, mask: nil) != short)
    }

    /// Attention as the textbook writes it, in Double.
    private func attend(_ qkv: [Double], tokens: Int, heads: Int, headDimension: Int) -> [Double] {
        let width = heads * headDimension
        func element(_ part: Int, _ token: Int, _ head: Int, _ index: Int) -> Double {
            qkv[token * 3 * width + part * width + head * headDimension + index]
        }
        var output = [Double](repeating: 0, count: tokens * width)
        for head in 0..<heads {
            for query in 0..<tokens {
                let scores = (0..<tokens).map { key in
                    (0..<headDimension).reduce(0) { $0 + element(0, query, head, $1) * element(1, key, head, $1) }
                        / Double(headDimension).squareRoot()
                }
                let largest = scores.max() ?? 0
                let weights = scores.map { exp($0 - largest) }
                let sum = weights.reduce(0, +)
                for index in 0..<headDimension {
                    output[query * width + head * headDimension + index] =
                        (0..<tokens).reduce(0) { $0 + weights[$1] * element(2, $1, head, index) } / sum
                }
            }
        }
        return output
    }
}
