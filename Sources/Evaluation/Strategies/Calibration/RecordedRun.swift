import Compute
import Pipeline
import Sampling

/// A full run of one calibration image: its states, its outputs, and what a recorder saw inside the network.
struct RecordedRun {
    let item: SampleItem
    /// The state at each call, (C, H, W).
    private(set) var states: [[Float]] = []
    /// The output of each branch at each call, the conditional one first.
    private(set) var outputs: [[[Float]]] = []
    /// The learned variance of each branch at each call; empty for models without.
    private(set) var variances: [[[Float]]] = []
    /// The final latents.
    private(set) var latents = Tensor([0])
    /// The relative L1 change of block 0's modulated input from the call before, over all branches; 0 at the first.
    private(set) var inputChanges: [Double] = []
    /// The size of the stack's residual over that at the call before, averaged over tokens; 1 at the first.
    private(set) var residualRatios: [Double] = []

    init(item: SampleItem) {
        self.item = item
    }

    mutating func append(state: [Float], outputs: BranchOutputs, branches: GuidanceBranches) {
        states.append(state)
        let all =
            branches.contains(.unconditional) ? [outputs.conditional, outputs.unconditional] : [outputs.conditional]
        self.outputs.append(all.map(\.prediction.elements))
        variances.append(all.compactMap { $0.variance?.elements })
    }

    mutating func finish(latents: Tensor, recorder: RunRecorder) {
        self.latents = latents.reshaped(latents.shape)
        inputChanges = recorder.inputChanges
        residualRatios = recorder.residualRatios
    }
}
