import Models
import Tensor
import Glibc
func peak() -> Int { var u = rusage(); getrusage(0, &u); return u.ru_maxrss / 1024 }
let args = CommandLine.arguments
let clock = ContinuousClock()
func secs(_ d: Duration) -> Double { d / .seconds(1) }
let repeats = Int(args[2])!
let threads = args.count > 4 ? Int(args[4])! : Workers.available
for precision in (args.count > 3 ? [WeightPrecision(rawValue: args[3])!] : [.float32]) {
    let config = try DiTConfig(directory: args[1])
    var t0 = clock.now
    let archive = try WeightArchive(directory: args[1])
    let weights = try DiTWeights(from: archive, config: config, precision: precision)
    print("load \(secs(clock.now - t0)) s, peak \(peak()) MB")
    let network = DiT(config: config, weights: weights)
    let workers = Workers(count: threads)
    let table = ModulationTable(network: network, timesteps: [500, 400], classes: [1, config.numClasses], workers: workers)
    let space = DiTWorkspace(config: config, entries: 2, workers: workers)
    let latents = Tensor((0..<config.inChannels * config.inputSize * config.inputSize).map { Float($0 % 7) / 3 - 1 }, shape: [config.inChannels, config.inputSize, config.inputSize])
    let outputs = (0..<2).map { _ in Tensor([config.outChannels, config.inputSize, config.inputSize]) }
    let w = Double(config.hiddenSize), T = Double(config.tokens)
    let perBranch = Double(config.depth) * T * (2 * w * (4 * w + 2 * Double(config.mlpWidth)) + 4 * T * w)
    for n in [2, 1] {
        var best = 1e9, all: [Double] = []
        for _ in 0..<repeats {
            t0 = clock.now
            network.forward(latents: latents, call: 0, subset: BatchSubset(first: n), modulation: table, workspace: space, outputs: outputs)
            let s = secs(clock.now - t0); best = min(best, s); all.append(s)
        }
        all.sort()
        print("\(n) branches: best \(best) s \(Double(n) * perBranch / best / 1e9) GFLOP/s, median \(Double(n) * perBranch / all[all.count/2] / 1e9), sum \(outputs[0].elements.reduce(0) { $0 + Double($1) }) peak \(peak()) MB")
    }
}
