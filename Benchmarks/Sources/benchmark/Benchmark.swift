import Foundation
import Models
import Pipeline
import Tensor

/// Times the operations of a forward at the sizes of several models, then a guided forward of the embedded one.
@main
struct Benchmark {
    static func main() {
        do {
            try printTable()
        } catch {
            FileHandle.standardError.write(Data("benchmark: \(error)\n".utf8))
            exit(1)
        }
    }

    private static func printTable() throws {
        let workers = Workers()
        print("OpenBLAS kernels for \(BLAS.coreName), \(workers.count) threads; medians\n")
        print("| operation | ms | GFLOP/s |\n|---|---|---|")
        for (name, tokens, width) in [("embedded", 64, 192), ("S/2", 256, 384), ("B/2", 256, 768)] {
            print(try linear("\(name) MLP", rows: tokens, inputs: width, outputs: 4 * width, workers).row)
            print(try attention(name, tokens: tokens, heads: width / 64, workers).row)
        }
        print(try guidedForward(workers).row)
    }

    private static func linear(
        _ name: String, rows: Int, inputs: Int, outputs: Int, _ workers: Workers
    ) throws -> Measurement {
        let x = numbers(rows * inputs, seed: 1)
        let layer = Linear(
            weight: Tensor(numbers(outputs * inputs, seed: 2), shape: [outputs, inputs]),
            bias: Tensor(numbers(outputs, seed: 3), shape: [outputs]))
        let y = Tensor([rows, outputs])
        let checked = [0, rows / 2, rows - 1]
        return try Measurement(
            "\(name) \(rows) x \(inputs) x \(outputs)", operations: 2 * Double(rows * inputs * outputs),
            error: {
                checked.map { row in
                    relativeError(
                        y.elements[row * outputs..<(row + 1) * outputs],
                        (0..<outputs).map { column in
                            (0..<inputs).reduce(Double(layer.bias.values[column])) {
                                $0 + Double(x[row * inputs + $1]) * Double(layer.weight.values[column * inputs + $1])
                            }
                        })
                }.max() ?? .infinity
            }, bound: 1e-5
        ) {
            layer(x, rows: rows, into: y.pointer, workers: workers)
        }
    }

    private static func attention(
        _ name: String, tokens: Int, heads: Int, _ workers: Workers
    ) throws -> Measurement {
        // With all scores equal the result is the mean of the values, whatever the queries.
        let width = heads * 64
        var qkv = numbers(tokens * 3 * width, seed: 4)
        for token in 0..<tokens {
            for index in width..<2 * width { qkv[token * 3 * width + index] = 0.5 }
        }
        let kernel = Attention(tokens: tokens, heads: heads, headWidth: 64, workers: workers)
        let output = Tensor([tokens, width])
        let mean = (0..<width).map { index in
            (0..<tokens).reduce(0) { $0 + Double(qkv[$1 * 3 * width + 2 * width + index]) } / Double(tokens)
        }
        return try Measurement(
            "\(name) attention, \(tokens) tokens, \(heads) heads",
            operations: 4 * Double(tokens * tokens * width),
            error: { relativeError(output.elements[..<width], mean) }, bound: 1e-4
        ) {
            workers.run(tasks: kernel.taskCount) { worker, task in
                kernel.run(task: task, worker: worker, qkv: qkv, into: output.pointer)
            }
        }
    }

    /// Both guidance branches of the embedded model, against the same forward on one thread.
    private static func guidedForward(_ workers: Workers) throws -> Measurement {
        let directory = try ModelDirectory(path: ModelLocator().locate(nil))
        let network = try directory.load()
        let config = directory.config
        let shape = directory.latentShape
        let latents = Tensor(numbers(shape.reduce(1, *), seed: 5), shape: shape)
        func forward(_ workers: Workers) -> (outputs: [Tensor], run: () -> Void) {
            let table = ModulationTable(
                network: network, timesteps: [500], classes: [0, config.numClasses - 1], workers: workers)
            let workspace = DiTWorkspace(config: config, entries: 2, workers: workers)
            let outputs = (0..<2).map { _ in Tensor([config.outChannels, config.inputSize, config.inputSize]) }
            return (
                outputs,
                {
                    network.forward(
                        latents: latents, call: 0, subset: BatchSubset(first: 2), modulation: table,
                        workspace: workspace, outputs: outputs)
                }
            )
        }
        let reference = forward(Workers(count: 1))
        reference.run()
        let timed = forward(workers)
        let width = Double(config.hiddenSize)
        let perToken = 2 * width * (4 * width + 2 * Double(config.mlpWidth)) + 4 * Double(config.tokens) * width
        return try Measurement(
            "\(directory.name), guided forward", operations: 2 * Double(config.depth * config.tokens) * perToken,
            error: { relativeError(timed.outputs[0].elements[...], reference.outputs[0].elements.map(Double.init)) },
            bound: 1e-6, timed.run)
    }

    /// The largest difference as a share of the largest reference; infinite if anything is not a number.
    private static func relativeError(_ found: ArraySlice<Float>, _ expected: [Double]) -> Double {
        let scale = expected.reduce(0) { max($0, abs($1)) }
        let largest = zip(found, expected).reduce(0) { largest, pair in
            let difference = abs(Double(pair.0) - pair.1)
            return difference.isNaN ? .infinity : max(largest, difference)
        }
        return largest / scale
    }

    /// Reproducible numbers in (-1, 1).
    private static func numbers(_ count: Int, seed: UInt64) -> [Float] {
        var state = seed
        return (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Float(state >> 40) / 8_388_608 - 1
        }
    }
}
