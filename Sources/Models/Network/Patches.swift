import Compute

/// The two rearrangements between an image (C, H, W) and its tokens, in row order.
enum Patches {
    /// Gathers each patch into a row: (T, C P P), channel first, then the patch's rows, then its columns, as a
    /// convolution's kernel (D, C, P, P) is stored.
    static func gather(
        _ image: UnsafePointer<Float>, of shape: LatentShape, patch: Int, into rows: UnsafeMutablePointer<Float>
    ) {
        let across = shape.width / patch
        var target = rows
        for token in 0..<shape.height / patch * across {
            let top = token / across * patch
            let left = token % across * patch
            for channel in 0..<shape.channels {
                for y in 0..<patch {
                    let source = image + (channel * shape.height + top + y) * shape.width + left
                    target.update(from: source, count: patch)
                    target += patch
                }
            }
        }
    }

    /// Scatters rows (T, P P C), channel last, back into an image of `channels` channels, (C, H, W).
    static func scatter(
        _ rows: UnsafePointer<Float>, channels: Int, of shape: LatentShape, patch: Int,
        into image: UnsafeMutablePointer<Float>
    ) {
        let across = shape.width / patch
        var source = rows
        for token in 0..<shape.height / patch * across {
            let top = token / across * patch
            let left = token % across * patch
            for y in 0..<patch {
                for x in 0..<patch {
                    for channel in 0..<channels {
                        image[(channel * shape.height + top + y) * shape.width + left + x] = source[channel]
                    }
                    source += channels
                }
            }
        }
    }
}

extension ForwardPass {
    // swift-format-ignore
    /// Latents to tokens, plus their fixed positions: the same for every entry, so computed once.
    ///
    /// - Parameters:
    ///   - latents: (C, H, W), of `shape`.
    ///   - shape: the latents' shape.
    ///   - layer: the patch embedding, (D, C P P).
    ///   - patch: P.
    ///   - positions: (T, D).
    ///   - patches: scratch memory, (T, C P P).
    ///   - embedded: where the tokens go, (T, D).
    ///   - x: the hidden states of every entry, which start as the tokens.
    ///   - subset: the entries.
    func embed(
        _ latents: Tensor, of shape: LatentShape, by layer: Linear, patch: Int, positions: Tensor, patches: Tensor,
        into embedded: Tensor, _ x: EntryRows, _ subset: BatchSubset
    ) {
        measured(.embedding) {
            let tokens = embedded.pointer
            Patches.gather(latents.pointer, of: shape, patch: patch, into: patches.pointer)       // (T, C P P)
            layer(patches.pointer, rows: x.rows, into: tokens, workers: workers, scratch: scratch) // (T, D)
            Elementwise.add(positions.pointer, count: embedded.count, to: tokens)                 // (T, D)
            for entry in subset { x.row(0, of: entry).update(from: tokens, count: embedded.count) }
        }
    }

    /// Tokens (T, P P C) of every entry back to an image, (C, H, W).
    func unpatchify(
        _ projected: EntryRows, _ subset: BatchSubset, of shape: LatentShape, patch: Int, into outputs: [Tensor]
    ) {
        measured(.embedding) {
            for entry in subset {
                Patches.scatter(
                    projected.row(0, of: entry), channels: projected.columns / (patch * patch), of: shape,
                    patch: patch, into: outputs[entry].pointer)
            }
        }
    }

    /// All blocks, one after another; a cache may replace all of them, or those from some block on.
    ///
    /// - Parameters:
    ///   - count: how many blocks there are.
    ///   - subset: the entries.
    ///   - embedded: what enters the stack, (T, D), the same for every entry.
    ///   - x: the hidden states.
    ///   - block: evaluates a block for some entries.
    func stack(
        of count: Int, _ subset: BatchSubset, embedded: Tensor, _ x: EntryRows,
        block: (_ index: Int, _ subset: BatchSubset) -> Void
    ) {
        let input = { (_: Int) in embedded.values }
        var evaluated = withoutReplaced(.stack, subset, input: input, x)
        for index in 0..<count {
            if index > 0 {
                evaluated = withoutReplaced(.rest(from: index), evaluated, input: { x[$0] }, x)
            }
            guard !evaluated.isEmpty else { return }
            block(index, evaluated)
        }
        observe(.stack, evaluated, input: input, x)
    }
}
