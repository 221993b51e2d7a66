import Tensor

/// A Diffusion Transformer (Peebles & Xie, arXiv 2212.09748): class-conditional, adaLN-Zero.
///
/// Configuration, weights and scratch memory are three types; one network serves any number of forwards at a time,
/// each with its own ``DiTWorkspace``.
public final class DiT: Sendable {
    /// The network's dimensions.
    public let config: DiTConfig
    /// Its parameters.
    public let weights: DiTWeights

    /// Rows of tokens that one elementwise task handles.
    private static let rowsPerTask = 32

    /// Joins a configuration with weights that were loaded for it.
    public init(config: DiTConfig, weights: DiTWeights) {
        self.config = config
        self.weights = weights
    }

    /// Evaluates the network at one model call for some entries of the batch.
    ///
    /// All entries see the same latents; they differ in their class, that is, in their rows of the modulation table.
    /// Allocates no tensor.
    ///
    /// - Parameters:
    ///   - latents: (C, H, W).
    ///   - call: the model call, an index into the table's timesteps.
    ///   - subset: which entries to evaluate.
    ///   - modulation: the run's table; computes the call's window if it is not there.
    ///   - workspace: scratch memory that no other forward uses at the same time.
    ///   - outputs: one (Cout, H, W) per entry of the batch; those outside `subset` are left alone.
    ///   - interceptor: watches or replaces the work at the sites of the network.
    public func forward(
        latents: Tensor, call: Int, subset: BatchSubset, modulation: ModulationTable, workspace: DiTWorkspace,
        outputs: [Tensor], interceptor: (any BlockInterceptor)? = nil
    ) {
        let area = config.inputSize * config.inputSize
        precondition(latents.count == config.inChannels * area, "latents of \(latents.shape)")
        precondition(workspace.config == config && modulation.network === self, "made for another network")
        for entry in subset {
            precondition(entry < workspace.entries && entry < modulation.classes.count && entry < outputs.count)
            precondition(outputs[entry].count == config.outChannels * area, "an output of \(outputs[entry].shape)")
        }
        modulation.prepare(call: call)
        let pass = Pass(
            network: self, call: call, modulation: modulation, workspace: workspace, interceptor: interceptor)
        pass.measured(.embedding) { pass.embed(latents, for: subset) }  // (T, D)
        pass.runStack(subset)  // (T, D)
        pass.project(subset, into: outputs)  // (Cout, H, W)
    }

    /// One forward in progress.
    private struct Pass {
        let network: DiT
        let call: Int
        let modulation: ModulationTable
        let workspace: DiTWorkspace
        let interceptor: (any BlockInterceptor)?

        private var config: DiTConfig { network.config }
        private var tokens: Int { network.config.tokens }
        private var width: Int { network.config.hiddenSize }

        /// Patches to tokens, plus their fixed positions: the same for every entry, so computed once.
        func embed(_ latents: Tensor, for subset: BatchSubset) {
            let embedded = workspace.embedded.pointer
            Patches.gather(
                latents.pointer, channels: config.inChannels, size: config.inputSize, patch: config.patchSize,
                into: workspace.patches.pointer)
            network.weights.patchEmbedding(
                workspace.patches.pointer, rows: tokens, into: embedded, workers: workspace.workers)
            Elementwise.add(network.weights.positions.pointer, count: tokens * width, to: embedded)
            for entry in subset { workspace.stream.row(0, of: entry).update(from: embedded, count: tokens * width) }
        }

        func runStack(_ subset: BatchSubset) {
            var evaluated = withoutReplaced(.stack, subset, input: { _ in workspace.embedded.values }, workspace.stream)
            for (index, block) in network.weights.blocks.enumerated() {
                if index > 0 {
                    evaluated = withoutReplaced(
                        .rest(from: index), evaluated, input: { workspace.stream[$0] }, workspace.stream)
                }
                guard !evaluated.isEmpty else { return }
                attend(index, block, evaluated)
                transform(index, block, evaluated)
            }
            observe(.stack, evaluated, input: { _ in workspace.embedded.values }, workspace.stream)
        }

        /// x = x + gate attention(modulate(norm(x)))
        private func attend(_ index: Int, _ block: DiTWeights.Block, _ subset: BatchSubset) {
            let site = BlockSite.attention(block: index)
            let evaluated = withoutReplaced(site, subset, input: { workspace.stream[$0] }, workspace.site)
            if !evaluated.isEmpty {
                normalise(evaluated, epsilon: Float(config.normEpsilon)) {
                    let rows = modulation.block(index, call: call, entry: $0)
                    return (rows.attentionShift, rows.attentionScale)
                }
                apply(block.qkv, .qkv, evaluated, workspace.normed, into: workspace.qkv)  // (T, 3D)
                forEach(.attention, evaluated, tasks: workspace.attention.taskCount) { worker, entry, task in
                    workspace.attention.run(
                        task: task, worker: worker, qkv: workspace.qkv.row(0, of: entry),
                        into: workspace.mixed.row(0, of: entry))
                }
                apply(block.attentionOut, .attentionOut, evaluated, workspace.mixed, into: workspace.site)  // (T, D)
                observe(site, evaluated, input: { workspace.stream[$0] }, workspace.site)
            }
            addSite(subset) { modulation.block(index, call: call, entry: $0).attentionGate }
        }

        /// x = x + gate mlp(modulate(norm(x)))
        private func transform(_ index: Int, _ block: DiTWeights.Block, _ subset: BatchSubset) {
            let site = BlockSite.mlp(block: index)
            let evaluated = withoutReplaced(site, subset, input: { workspace.stream[$0] }, workspace.site)
            if !evaluated.isEmpty {
                normalise(evaluated, epsilon: Float(config.mlpNormEpsilon)) {
                    let rows = modulation.block(index, call: call, entry: $0)
                    return (rows.mlpShift, rows.mlpScale)
                }
                apply(
                    block.mlpIn, .mlpIn, evaluated, workspace.normed, into: workspace.hidden, activation: .gelu)
                apply(block.mlpOut, .mlpOut, evaluated, workspace.hidden, into: workspace.site)  // (T, D)
                observe(site, evaluated, input: { workspace.stream[$0] }, workspace.site)
            }
            addSite(subset) { modulation.block(index, call: call, entry: $0).mlpGate }
        }

        /// The final layer: norm, modulation, projection to patches, and back to an image.
        func project(_ subset: BatchSubset, into outputs: [Tensor]) {
            normalise(subset, epsilon: Float(config.normEpsilon)) { modulation.finalLayer(call: call, entry: $0) }
            apply(
                network.weights.finalProjection, .finalProjection, subset, workspace.normed, into: workspace.projected)
            measured(.embedding) {
                for entry in subset {
                    Patches.scatter(
                        workspace.projected.row(0, of: entry), channels: config.outChannels, size: config.inputSize,
                        patch: config.patchSize, into: outputs[entry].pointer)
                }
            }
        }

        // MARK: - Parallel steps over the entries

        /// Runs `body`, told to the workspace's clock if there is one.
        @inline(__always)
        func measured(_ region: ForwardClock.Region, _ body: () -> Void) {
            guard let clock = workspace.clock else { return body() }
            clock.measure(region, body)
        }

        private func forEach(
            _ region: ForwardClock.Region, _ subset: BatchSubset, tasks: Int,
            _ body: (_ worker: Int, _ entry: Int, _ task: Int) -> Void
        ) {
            workspace.workers.run(tasks: subset.count * tasks) { worker, index in
                measured(region) { body(worker, subset[index / tasks], index % tasks) }
            }
        }

        private func forEachRows(
            _ region: ForwardClock.Region, _ subset: BatchSubset, _ body: (_ entry: Int, _ rows: Range<Int>) -> Void
        ) {
            let pieces = (tokens + DiT.rowsPerTask - 1) / DiT.rowsPerTask
            forEach(region, subset, tasks: pieces) { _, entry, piece in
                body(entry, piece * DiT.rowsPerTask..<min(tokens, (piece + 1) * DiT.rowsPerTask))
            }
        }

        /// Applies a layer to all entries; those that lie side by side are rows of one product.
        private func apply(
            _ layer: Linear, _ region: ForwardClock.Region, _ subset: BatchSubset, _ inputs: EntryRows,
            into outputs: EntryRows, activation: Activation? = nil
        ) {
            var rest = subset
            while !rest.isEmpty {
                let entries = rest.firstRun
                let tiling = layer.tiling(blocks: entries.count, rows: tokens, workers: workspace.workers)
                let (x, y) = (inputs.row(0, of: entries.lowerBound), outputs.row(0, of: entries.lowerBound))
                workspace.workers.run(tasks: tiling.count) { _, tile in
                    measured(region) { layer.run(tile: tile, of: tiling, x, into: y, activation: activation) }
                }
                for entry in entries { rest.remove(entry) }
            }
        }

        private func normalise(
            _ subset: BatchSubset, epsilon: Float,
            modulation: (_ entry: Int) -> (shift: UnsafePointer<Float>, scale: UnsafePointer<Float>)
        ) {
            forEachRows(.normalisation, subset) { entry, rows in
                let (shift, scale) = modulation(entry)
                LayerNorm.modulated(
                    workspace.stream.row(rows.lowerBound, of: entry), rows: rows.count, width: width,
                    epsilon: epsilon, shift: shift, scale: scale,
                    into: workspace.normed.row(rows.lowerBound, of: entry))
            }
        }

        private func addSite(_ subset: BatchSubset, gate: (_ entry: Int) -> UnsafePointer<Float>) {
            forEachRows(.gatedAdd, subset) { entry, rows in
                Elementwise.addGated(
                    workspace.site.row(rows.lowerBound, of: entry), gate: gate(entry), rows: rows.count, width: width,
                    to: workspace.stream.row(rows.lowerBound, of: entry))
            }
        }

        // MARK: - Interception

        /// Lets the interceptor supply outputs; returns the entries whose work is still to be done.
        private func withoutReplaced(
            _ site: BlockSite, _ subset: BatchSubset, input: (_ entry: Int) -> UnsafeMutableBufferPointer<Float>,
            _ outputs: EntryRows
        ) -> BatchSubset {
            guard let interceptor, !subset.isEmpty else { return subset }
            interceptor.approach(site, call: call, entries: subset) { UnsafeBufferPointer(input($0)) }
            var rest = subset
            for entry in subset {
                let source = UnsafeBufferPointer(input(entry))
                if interceptor.replaces(site, call: call, entry: entry, input: source, output: outputs[entry]) {
                    rest.remove(entry)
                }
            }
            return rest
        }

        private func observe(
            _ site: BlockSite, _ subset: BatchSubset, input: (_ entry: Int) -> UnsafeMutableBufferPointer<Float>,
            _ outputs: EntryRows
        ) {
            guard let interceptor else { return }
            for entry in subset {
                interceptor.observe(
                    site, call: call, entry: entry, input: UnsafeBufferPointer(input(entry)),
                    output: UnsafeBufferPointer(outputs[entry]))
            }
        }
    }
}
