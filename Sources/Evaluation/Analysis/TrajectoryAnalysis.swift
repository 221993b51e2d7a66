import Caching
import Compute
import Models
import Pipeline
import Sampling

/// Records runs of one model with one set of settings and reports what they look like.
///
/// One run is in memory at a time: a state and an output per branch for each model call. Call ``start(_:)``, step the
/// run with ``Run/next()``, and the end of the run is taken in by itself.
public final class TrajectoryAnalysis {
    private let directory: ModelDirectory
    private let network: any DenoisingNetwork
    private let sampler: ImageSampler
    private let blocks: BlockChangeRecorder
    private var summary: TrajectorySummary
    private var items: [SampleItem] = []

    /// An analysis without runs.
    ///
    /// - Parameters:
    ///   - directory: The model.
    ///   - network: Its network.
    ///   - settings: What the runs have in common.
    ///   - workers: The threads to work with.
    /// - Throws: ``SamplingError`` or ``PipelineError`` when the settings do not fit the model.
    public init(directory: ModelDirectory, network: any DenoisingNetwork, settings: SampleSettings, workers: Workers)
        throws
    {
        self.directory = directory
        self.network = network
        sampler = try ImageSampler(directory: directory, network: network, settings: settings, workers: workers)
        let calls = try settings.schedule(for: directory).calls
        blocks = BlockChangeRecorder(calls: calls.count)
        summary = TrajectorySummary(calls: calls)
    }

    /// One run under observation.
    public struct Run {
        private let analysis: TrajectoryAnalysis
        private let item: SampleItem
        private let trajectory: Trajectory
        private var run: SamplingRun

        fileprivate init(_ item: SampleItem, in analysis: TrajectoryAnalysis) throws {
            self.analysis = analysis
            self.item = item
            run = try analysis.sampler.start(item) { denoiser in
                denoiser.interceptor = analysis.blocks
                return denoiser
            }
            trajectory = Trajectory(of: run, predictionType: analysis.directory.process.predictionType)
        }

        /// Takes a step; nil when the run is complete and has been added to the analysis.
        ///
        /// - Throws: ``PipelineError/badData(_:)`` when the run has diverged.
        public mutating func next() throws -> SamplingRun.Step? {
            guard let step = try run.next() else { return nil }
            trajectory.record(step, of: run)
            if trajectory.isComplete { try analysis.add(trajectory, of: item, latents: run.latents) }
            return step
        }
    }

    /// Starts the run of one image; runs are taken one after the other.
    public func start(_ item: SampleItem) throws -> Run {
        try Run(item, in: self)
    }

    private func add(_ trajectory: Trajectory, of item: SampleItem, latents: Tensor) throws {
        try sampler.check(latents)
        do throws(LinearAlgebraError) {
            try summary.add(trajectory)
        } catch .unavailable(let problem) {
            throw problem
        } catch {
            throw PipelineError.badData("\(directory.name): \(item.condition), seed \(item.seed): \(error)")
        }
        items.append(item)
    }

    /// What the runs look like; at least one has been taken to its end.
    ///
    /// - Throws: ``LinearAlgebraError``.
    public func report() throws(LinearAlgebraError) -> TrajectoryReport {
        guard let gram = summary.gram else { preconditionFailure("an analysis of no run") }
        let alignment = try summary.alignment()
        return TrajectoryReport(
            model: directory.reference(), settings: sampler.settings, items: items,
            shape: directory.latentShape.dimensions,
            calls: calls(states: try summary.states(alignment)),
            path: path(alignment), spectrum: TrajectoryReport.Spectrum(bandSizes: gram.bandSizes),
            blocks: blockRows(branches: gram.branches))
    }

    private func calls(states: [StateMeasures<Spread?>?]) -> [TrajectoryReport.Call] {
        guard let guided = summary.directions(of: .guided) else { preconditionFailure("an analysis of no run") }
        let conditional = summary.directions(of: .conditional)
        let unconditional = summary.directions(of: .unconditional)
        return summary.calls.map { call in
            TrajectoryReport.Call(
                call: call.index, step: call.step, timestep: call.timestep, pathPosition: call.level.pathPosition,
                pathPositionAfter: call.levelAfter.pathPosition, guided: guided[call.index],
                conditional: conditional?[call.index], unconditional: unconditional?[call.index],
                state: states[call.index])
        }
    }

    private func path(_ alignment: PathAlignment) -> TrajectoryReport.Path {
        func coordinates(_ points: [SIMD3<Double>]) -> [[Double]] { points.map { [$0.x, $0.y, $0.z] } }
        return TrajectoryReport.Path(
            mean: coordinates(alignment.mean), runs: alignment.paths.map(coordinates),
            displacement: Moments(summary.projections.map(\.displacement)).spread,
            explained: summary.projections.map(\.explained))
    }

    private func blockRows(branches: GuidanceBranches) -> [TrajectoryReport.BlockRow] {
        let layers = network.layerKinds.flatMap { kind in network.layers.filter { $0.layer?.kind == kind } }
        let sites: [(Site.ID, TrajectoryReport.BlockRow.Site, Int?)] =
            layers.map { ($0.id, .init(rawValue: $0.layer?.kind.rawValue ?? ""), $0.layer?.block) }
            + [(.stack, .stack, nil)]
        // The batch entries of `NetworkDenoiser`.
        let entries: [GuidanceOutput] =
            branches.contains(.unconditional) ? [.conditional, .unconditional] : [.conditional]
        return sites.flatMap { site, kind, block in
            entries.enumerated().flatMap { entry, branch in
                (blocks.changes(of: .init(site: site, entry: entry)) ?? []).enumerated().compactMap { call, changes in
                    guard let l1 = changes.relativeL1.spread, let l2 = changes.relativeL2.spread else { return nil }
                    return TrajectoryReport.BlockRow(
                        site: kind, block: block, branch: branch, call: call, relativeL1: l1, relativeL2: l2,
                        cosine: changes.cosine.spread)
                }
            }
        }
    }
}
