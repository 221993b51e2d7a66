import Compute
import Foundation
import Models

/// A network of another kind than any that is shipped: three blocks of one fixed linear map of the channels, clips of two
/// frames that are no squares, and a text as the condition.
final class ToyNetwork: DenoisingNetwork {
    static let mixing = LayerKind("mixing")

    let config: ToyConfiguration
    /// (C, C) of each block.
    let maps: [Linear]

    init(config: ToyConfiguration, maps: [Linear]) {
        self.config = config
        self.maps = maps
    }

    let hasVariance = false
    let canBeGuided = true
    var latentShape: LatentShape { config.latentShape }
    var conditions: ConditionKind { config.conditions }
    var parameterCount: Int { maps.reduce(0) { $0 + $1.weight.count + $1.bias.count } }
    var preparation: [ForwardStep] { [] }

    private var pixels: Int { latentShape.frames * latentShape.height * latentShape.width }

    var steps: [ForwardStep] {
        maps.enumerated().map { block, map in
            ForwardStep(
                "mix", at: .layer(Self.mixing, block: block), rows: pixels, .product(map, activation: nil))
        }
    }

    var sites: [Site] {
        let shape = [latentShape.frames, latentShape.height, latentShape.width, latentShape.channels]
        return steps.compactMap { step in step.site.map { Site($0, shape: shape, multiplyAdds: step.multiplyAdds) } }
            + [Site(.stack, shape: shape, multiplyAdds: steps.multiplyAdds)]
    }

    func workspace(entries: Int, workers: Workers) -> any ForwardWorkspace {
        ToyWorkspace(network: self, entries: entries, workers: workers)
    }
}

private final class ToyWorkspace: ForwardWorkspace {
    let entries: Int
    var clock: ForwardClock?
    let network: ToyNetwork
    let workers: Workers
    let embedded: Tensor
    let hidden: [Tensor]
    let mixed: [Tensor]

    init(network: ToyNetwork, entries: Int, workers: Workers) {
        let shape = network.sites[0].shape
        self.network = network
        self.entries = entries
        self.workers = workers
        embedded = Tensor(shape)
        hidden = (0..<entries).map { _ in Tensor(shape) }
        mixed = (0..<entries).map { _ in Tensor(shape) }
    }

    func session(timesteps: [Double], conditions: [Condition]) -> any ForwardSession {
        ToySession(workspace: self, conditions: conditions)
    }
}

private final class ToySession: ForwardSession {
    private let workspace: ToyWorkspace
    /// What each entry's text adds to the prediction.
    private let shifts: [Float]

    init(workspace: ToyWorkspace, conditions: [Condition]) {
        self.workspace = workspace
        shifts = conditions.map { condition in
            guard case .prompt(let text) = condition else { return 0 }
            return Float(text.utf8.reduce(0) { ($0 * 31 + Int($1)) % 97 }) / 97 - 0.5
        }
    }

    func evaluate(
        latents: Tensor, call: Int, subset: BatchSubset, into outputs: [Tensor],
        interceptor: (any SiteInterceptor)?
    ) {
        let (network, workspace) = (workspace.network, workspace)
        let (channels, pixels) = (network.latentShape.channels, latents.count / network.latentShape.channels)
        // (C, F, H, W) to rows of C.
        for pixel in 0..<pixels {
            for channel in 0..<channels {
                workspace.embedded.values[pixel * channels + channel] = latents.values[channel * pixels + pixel]
            }
        }
        for entry in subset { workspace.hidden[entry].copy(from: workspace.embedded) }
        /// Which of `entries` are to be computed.
        func open(_ site: Site.ID, _ entries: [Int], _ input: (Int) -> Tensor, _ output: (Int) -> Tensor) -> [Int] {
            guard let interceptor, !entries.isEmpty else { return entries }
            interceptor.approach(site, call: call, entries: BatchSubset(entries)) {
                UnsafeBufferPointer(input($0).values)
            }
            return entries.filter {
                !interceptor.replaces(
                    site, call: call, entry: $0, input: UnsafeBufferPointer(input($0).values), output: output($0).values
                )
            }
        }
        func show(_ site: Site.ID, _ entries: [Int], _ input: (Int) -> Tensor, _ output: (Int) -> Tensor) {
            for entry in entries {
                interceptor?.observe(
                    site, call: call, entry: entry, input: UnsafeBufferPointer(input(entry).values),
                    output: UnsafeBufferPointer(output(entry).values))
            }
        }
        let (embedded, hidden, mixed) = (workspace.embedded, workspace.hidden, workspace.mixed)
        var entries = open(.stack, Array(subset), { _ in embedded }, { hidden[$0] })
        for (block, map) in network.maps.enumerated() {
            if block > 0 { entries = open(.rest(from: block), entries, { hidden[$0] }, { hidden[$0] }) }
            let site = Site.ID.layer(ToyNetwork.mixing, block: block)
            let computed = open(site, entries, { hidden[$0] }, { mixed[$0] })
            for entry in computed {
                map(hidden[entry].pointer, rows: pixels, into: mixed[entry].pointer, workers: workspace.workers)
            }
            show(site, computed, { hidden[$0] }, { mixed[$0] })
            for entry in entries {
                Elementwise.add(mixed[entry].pointer, count: mixed[entry].count, to: hidden[entry].pointer)
            }
        }
        show(.stack, entries, { _ in embedded }, { hidden[$0] })
        for entry in subset {
            for pixel in 0..<pixels {
                for channel in 0..<channels {
                    outputs[entry].values[channel * pixels + pixel] =
                        hidden[entry].values[pixel * channels + channel] + shifts[entry]
                }
            }
        }
    }

    func writeFirstInput(of tokens: UnsafeBufferPointer<Float>, call: Int, entry: Int, into output: Tensor) {
        _ = output.values.update(fromContentsOf: tokens)
    }
}

/// The toy's `config.json`.
struct ToyConfiguration: NetworkConfiguration, Equatable {
    var architecture = "toy"
    /// The number of blocks.
    let depth = 3
    let channels: Int
    let frames: Int
    let height: Int
    let width: Int

    static let family = NetworkFamily(name: "toy", networkClasses: [], pipelineClasses: ["ToyPipeline"]) {
        file throws(ModelError) in
        func number(_ key: String) throws(ModelError) -> Int {
            guard case .integer(let value)? = file[key] else { throw file.problem("\(key) is missing") }
            return value
        }
        return ToyConfiguration(
            channels: try number("channels"), frames: try number("frames"), height: try number("height"),
            width: try number("width"))
    }

    var latentShape: LatentShape { LatentShape(channels: channels, frames: frames, height: height, width: width) }
    var hasVariance: Bool { false }
    var conditions: ConditionKind { .prompts(PromptRules(tokens: 16, examples: ["a red ball", "two owls", "rain"])) }
    var classNames: [String] { [] }
    var valueRange: ClosedRange<Double>? { -1...1 }
    var guidanceScale: Double? { 2 }
    var guidanceChannels: Int? { nil }
    var conventions: ToyConfiguration { self }
    var summary: String { "toy" }
    var size: TransformerSize {
        TransformerSize(depth: depth, width: channels, heads: 1, tokens: frames * height * width)
    }

    func checkNames(in archive: WeightArchive) {}

    func canBeGuided(by archive: WeightArchive) -> Bool { true }

    func runBytes(entries: Int, workers: Workers) -> Int { 4 * latentShape.count * (2 * entries + 1) }

    func load(
        from archive: WeightArchive, prompts: (any PromptEncoder)?, precision: WeightPrecision, engine: any Engine,
        progress: ((Double) -> Void)?
    ) throws -> any DenoisingNetwork {
        ToyNetwork(
            config: self,
            maps: try (0..<depth).map { block in
                Linear(
                    weight: try archive.tensor("blocks.\(block).mix.weight", shape: [channels, channels]),
                    bias: try archive.tensor("blocks.\(block).mix.bias", shape: [channels]))
            })
    }

    func random(seed: UInt64, engine: any Engine) throws -> any DenoisingNetwork {
        var numbers = ArbitraryNumbers(seed: seed)
        return ToyNetwork(
            config: self,
            maps: (0..<depth).map { _ in
                Linear(weight: numbers.tensor([channels, channels]), bias: numbers.tensor([channels]))
            })
    }

    func enlarged(by factor: Int) -> ToyConfiguration {
        ToyConfiguration(channels: channels, frames: frames, height: factor * height, width: factor * width)
    }
}
