import Compute

/// The two rearrangements between an image (C, H, W) and its tokens, in row order; those of a clip (C, F, H, W) come frame
/// after frame.
enum Patches {
    /// Gathers each patch into a row: (T, C P P), channel first, then the patch's rows, then its columns, as a
    /// convolution's kernel (D, C, P, P) is stored.
    static func gather(
        _ image: UnsafePointer<Float>, of shape: LatentShape, patch: Int, into rows: UnsafeMutablePointer<Float>
    ) {
        var target = rows
        forEachPatch(of: shape, side: patch) { frame, top, left in
            for channel in 0..<shape.channels {
                for y in 0..<patch {
                    let line = (channel * shape.frames + frame) * shape.height + top + y
                    target.update(from: image + line * shape.width + left, count: patch)
                    target += patch
                }
            }
        }
    }

    /// Scatters rows (T, P P C), channel last, back into an image of `channels` channels, (C, H, W), or a clip of them.
    static func scatter(
        _ rows: UnsafePointer<Float>, channels: Int, of shape: LatentShape, patch: Int,
        into image: UnsafeMutablePointer<Float>
    ) {
        var source = rows
        let frameDistance = shape.height * shape.width
        forEachPatch(of: shape, side: patch) { frame, top, left in
            for y in 0..<patch {
                for x in 0..<patch {
                    let pixel = frame * frameDistance + (top + y) * shape.width + left + x
                    for channel in 0..<channels {
                        image[channel * shape.frames * frameDistance + pixel] = source[channel]
                    }
                    source += channels
                }
            }
        }
    }

    /// Calls `body` with the frame and the first pixel of each patch, in the order of the tokens.
    @inline(__always)
    private static func forEachPatch(
        of shape: LatentShape, side: Int, _ body: (_ frame: Int, _ top: Int, _ left: Int) -> Void
    ) {
        for frame in 0..<shape.frames {
            for top in stride(from: 0, through: shape.height - side, by: side) {
                for left in stride(from: 0, through: shape.width - side, by: side) { body(frame, top, left) }
            }
        }
    }
}

extension LatentShape {
    /// Checks that latents have this shape, and that each entry of `subset` has an output of so many channels.
    func check(_ latents: Tensor, _ outputs: [Tensor], of subset: BatchSubset, outChannels: Int) {
        precondition(latents.count == count, "latents of \(latents.shape)")
        for entry in subset {
            precondition(entry < outputs.count, "an output for each entry")
            precondition(
                outputs[entry].count == count / channels * outChannels, "an output of \(outputs[entry].shape)")
        }
    }
}

extension ForwardPass {
    // swift-format-ignore
    /// Latents to tokens, plus their fixed positions: the same for every entry, so computed once.
    ///
    /// - Parameters:
    ///   - latents: (C, H, W) or (C, F, H, W), of `shape`.
    ///   - shape: the latents' shape.
    ///   - layer: the patch embedding, (D, C P P).
    ///   - patch: P.
    ///   - positions: of an image's, or of each frame's tokens: (T, D), or (T / F, D).
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
            for frame in 0..<shape.frames {
                Elementwise.add(
                    positions.pointer, count: positions.count, to: tokens + frame * positions.count) // (T, D)
            }
            for entry in subset { x.row(0, of: entry).update(from: tokens, count: embedded.count) }
        }
    }

    /// Tokens (T, P P C) of every entry back to an image, (C, H, W), or to a clip, (C, F, H, W).
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
