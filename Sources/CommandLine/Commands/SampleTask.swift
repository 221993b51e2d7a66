import Pipeline

/// A target with what is there of it already.
struct SampleTask: Sendable {
    let target: SampleTarget
    let picture: Standing
    let latents: Standing

    var isDone: Bool { picture == .done && latents == .done }
}
