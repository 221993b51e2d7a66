import Glibc

/// Compares an engine's products with plain loops.
///
/// Libraries of kernels are known to compute wrong results on processors that are newer than they, or that a virtual
/// machine describes in an unusual way. A few products of awkward shapes, with rests in every direction, tell within some
/// milliseconds, before any picture is drawn.
public enum KernelCheck {
    /// Rows, inputs and outputs: a single number, rests of every vector's width, more inputs than a pass, and a block as
    /// layers have it.
    private static let shapes = [(1, 1, 1), (17, 65, 33), (3, 401, 19), (64, 192, 96)]
    /// Queries, heads and head dimension.
    private static let attention = (queries: 37, heads: 2, headDimension: 12)
    /// The sides of a convolution's map, and its channels.
    private static let convolution = (height: 5, width: 7, channels: 32)

    /// Checks an engine, which is open.
    ///
    /// - Throws: ``MachineError/wrongKernels(engine:kernels:remedy:)``.
    public static func check(_ engine: any Engine) throws(MachineError) {
        let bound = engine.arithmetic.precision.bound
        for (rows, inputs, outputs) in shapes {
            let isRight = try isRight(engine, rows: rows, inputs: inputs, outputs: outputs, within: bound)
            guard isRight else { throw wrong(engine) }
        }
        guard attends(engine, within: bound), convolves(engine, within: bound) else { throw wrong(engine) }
    }

    private static func wrong(_ engine: any Engine) -> MachineError {
        switch engine.arithmetic.engine {
        case .openblas:
            .wrongKernels(
                engine: "OpenBLAS", kernels: BLAS.coreName,
                remedy: "set OPENBLAS_CORETYPE=Haswell, or install another OpenBLAS")
        case .onednn:
            .wrongKernels(
                engine: "oneDNN \(OneDNN.version ?? "")", kernels: engine.arithmetic.precision.rawValue,
                remedy: "use --engine openblas, or limit it with DNNL_MAX_CPU_ISA")
        }
    }

    /// Whether a layer, and a product of two plain matrices, are what they should be.
    private static func isRight(
        _ engine: any Engine, rows: Int, inputs: Int, outputs: Int, within bound: Double
    ) throws(MachineError) -> Bool {
        var numbers = ArbitraryNumbers(seed: UInt64(rows * inputs + outputs))
        let (x, weight) = (numbers.tensor([rows, inputs]), numbers.tensor([outputs, inputs]))
        let bias = numbers.tensor([outputs])
        let transposed = Tensor([inputs, outputs])
        for input in 0..<inputs {
            for output in 0..<outputs {
                transposed.pointer[input * outputs + output] = weight.pointer[output * inputs + input]
            }
        }
        let (layer, plain) = (Tensor([rows, outputs]), Tensor([rows, outputs]))
        let linear = try Linear(weight: WeightMatrix(weight), bias: bias, engine: engine)
        linear(x.pointer, rows: rows, into: layer.pointer, workers: Workers(count: 1))
        for row in 0..<rows { (plain.pointer + row * outputs).update(from: bias.pointer, count: outputs) }
        engine.multiply(
            m: rows, n: outputs, k: inputs, x.pointer, lda: inputs, transposed.pointer, ldb: outputs,
            into: plain.pointer, ldc: outputs, adding: true)
        var expected = [Double](repeating: 0, count: rows * outputs)
        for row in 0..<rows {
            for output in 0..<outputs {
                var sum = Double(bias.pointer[output])
                for input in 0..<inputs {
                    sum += Double(x.pointer[row * inputs + input]) * Double(weight.pointer[output * inputs + input])
                }
                expected[row * outputs + output] = sum
            }
        }
        return withExtendedLifetime((x, weight, transposed)) {
            isNear(layer, expected, within: bound) && isNear(plain, expected, within: Precision.float32.bound)
        }
    }

    private static func attends(_ engine: any Engine, within bound: Double) -> Bool {
        let (tokens, heads, size) = attention
        let width = heads * size
        let qkv = ArbitraryNumbers.tensor([tokens, 3 * width], seed: 3)
        let kernel = Attention(
            tokens: tokens, heads: heads, headDimension: size, engine: engine, workers: Workers(count: 1))
        let result = Tensor([tokens, width])
        for task in 0..<kernel.taskCount { kernel.run(task: task, worker: 0, qkv: qkv.pointer, into: result.pointer) }
        var expected = [Double](repeating: 0, count: tokens * width)
        for head in 0..<heads {
            for query in 0..<tokens {
                var sum = 0.0
                let row = query * 3 * width + head * size
                for key in 0..<tokens {
                    let other = key * 3 * width + head * size
                    var score = 0.0
                    for i in 0..<size {
                        score += Double(qkv.pointer[row + i]) * Double(qkv.pointer[other + width + i])
                    }
                    let weight = exp(score / Double(size).squareRoot())
                    sum += weight
                    for i in 0..<size {
                        expected[query * width + head * size + i] += weight * Double(qkv.pointer[other + 2 * width + i])
                    }
                }
                for i in 0..<size { expected[query * width + head * size + i] /= sum }
            }
        }
        return withExtendedLifetime(qkv) { isNear(result, expected, within: bound) }
    }

    private static func convolves(_ engine: any Engine, within bound: Double) -> Bool {
        let (height, width, channels) = convolution
        let weight = ArbitraryNumbers.tensor([channels, channels, 3, 3], seed: 4)
        let input = FeatureMap(planes: ArbitraryNumbers.tensor([channels, height, width], seed: 5))
        let output = FeatureMap(planes: Tensor([channels, height, width]))
        let kernel = withExtendedLifetime(weight) {
            Convolution(weight: weight.pointer, outputs: channels, inputs: channels, bias: nil, engine: engine)
        }
        kernel(input, into: output, workspace: ConvolutionWorkspace(), workers: Workers(count: 1))
        let expected = (0..<height * width * channels).map { index in
            let (pixel, channel) = (index / channels, index % channels)
            return input.plainSum(taps: weight, output: channel, y: pixel / width, x: pixel % width)
        }
        return isNear(output.values, expected, within: bound)
    }

    /// Whether all numbers are within a share of the largest expected one.
    private static func isNear(_ found: Tensor, _ expected: [Double], within bound: Double) -> Bool {
        let largest = expected.reduce(0) { max($0, abs($1)) }
        // A NaN is not within.
        return zip(found.values, expected).allSatisfy { abs(Double($0) - $1) <= bound * largest }
    }
}

extension Precision {
    /// The largest error of a sum that right kernels have at the shapes of the check, as a share of the largest one.
    fileprivate var bound: Double {
        switch self {
        case .float32: 1e-5
        case .bfloat16: 0.03
        case .int8: 0.1
        }
    }
}

extension Engine {
    /// What its results depend on besides the numbers: the library, its kernels, and the processor.
    public var identity: String {
        let library =
            switch arithmetic.engine {
            case .openblas: "\(BLAS.configuration), \(BLAS.coreName)"
            case .onednn:
                "oneDNN \(OneDNN.version ?? ""), \(arithmetic.precision.rawValue), limit \(OneDNN.limit ?? "none")"
            }
        return "\(library), \(Processor.name), \(ProcessorFeatures.present.text)"
    }
}

/// The processor that this process runs on.
public enum Processor {
    /// What it calls itself; empty where the system does not tell.
    public static let name: String = {
        guard let file = fopen("/proc/cpuinfo", "r") else { return "" }
        defer { fclose(file) }
        var bytes = [CChar](repeating: 0, count: 1024)
        // The first processor's lines.
        for _ in 0..<16 {
            guard fgets(&bytes, Int32(bytes.count), file) != nil else { break }
            let line = String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            guard line.hasPrefix("model name"), let colon = line.firstIndex(of: ":") else { continue }
            let name = line[line.index(after: colon)...].filter { !$0.isNewline }
            return String(name.drop { $0 == " " })
        }
        return ""
    }()
}
