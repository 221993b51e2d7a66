import Compute

extension LayerKind {
    /// The attention of the text tokens in a block that image and text share.
    public static let textAttention = LayerKind("text attention")
    /// The MLP of the text tokens in such a block.
    public static let textMLP = LayerKind("text mlp")
}

/// A block that only the text passes.
public struct MMJiTTextBlock: Sendable {
    let stream: MMJiTStream
    /// (K), of queries and of keys.
    let queryNorm, keyNorm: Tensor

    static func declared(_ config: MMJiTConfig) -> Declared<MMJiTTextBlock> {
        Declared(
            MMJiTStream.declared("", config.textHiddenSize, config),
            .tensor("q_norm.weight", [config.headDimension]),
            .tensor("k_norm.weight", [config.headDimension])
        ) { MMJiTTextBlock(stream: $0, queryNorm: $1, keyNorm: $2) }
    }

    // swift-format-ignore
    /// x = x + attention(norm(x)), then x = x + mlp(norm(x)), for the text of an entry.
    func forward(_ pass: ForwardPass, _ subset: BatchSubset, _ w: MMJiTWorkspace) {
        let text = w.text
        pass.normalise(
            text.x, subset, scale: stream.norm1, epsilon: MMJiTConfig.normEpsilon, into: text.normed,
            as: stream.qkv.inputPrecision)
        pass.apply(stream.qkv, subset, text.normed, into: text.qkv)                               // (L, 3 H K)
        w.turn(text, pass, subset, queryNorm: queryNorm, keyNorm: keyNorm)                        // (L, 2 H K)
        pass.attend(subset, text.qkv, to: { w.keys(of: $0, for: w.preambleAttention) }, into: text.mixed)
        pass.apply(stream.proj, subset, text.mixed, into: text.site)                              // (L, D)
        pass.add(text.site, subset, to: text.x)
        stream.mlp(text, pass, subset)                                                            // (L, D)
        pass.add(text.site, subset, to: text.x)
    }
}

/// A block in whose attention image and text meet, each with layers of its own.
public struct MMJiTBlock: Sendable {
    let image, text: MMJiTStream
    /// (K), of queries and of keys, in both streams.
    let queryNorm, keyNorm: Tensor

    static func declared(_ config: MMJiTConfig) -> Declared<MMJiTBlock> {
        Declared(
            MMJiTStream.declared("img_", config.hiddenSize, config),
            MMJiTStream.declared("txt_", config.textHiddenSize, config),
            .tensor("q_norm.weight", [config.headDimension]),
            .tensor("k_norm.weight", [config.headDimension])
        ) { MMJiTBlock(image: $0, text: $1, queryNorm: $2, keyNorm: $3) }
    }

    /// What ``forward(_:_:_:_:isLast:)`` does.
    func steps(_ index: Int, _ config: MMJiTConfig, isLast: Bool) -> [ForwardStep] {
        let keys = config.promptLength + config.tokens
        let (attention, mlp) = (Site.ID.layer(.attention, block: index), Site.ID.layer(.mlp, block: index))
        let (textAttention, textMLP) = (
            Site.ID.layer(.textAttention, block: index), Site.ID.layer(.textMLP, block: index)
        )
        func meeting(_ rows: Int) -> ForwardStep.Work {
            .attention(heads: config.heads, headDimension: config.headDimension, keys: keys)
        }
        let (rows, length) = (config.tokens, config.promptLength)
        var steps = image.steps("", rows, attention: attention, mlp: mlp, meeting: meeting(rows))
        let ofText = text.steps("text ", length, attention: textAttention, mlp: textMLP, meeting: meeting(length))
        // The last block's text is read by nobody: of its layers only keys and values are needed.
        steps += isLast ? Array(ofText.prefix(2)) : ofText
        return steps
    }

    // swift-format-ignore
    /// x = x + attention(norm(x)) over both streams, then x = x + mlp(norm(x)) in each.
    func forward(_ index: Int, _ pass: ForwardPass, _ subset: BatchSubset, _ w: MMJiTWorkspace, isLast: Bool) {
        let (image, text) = (w.image, w.text)
        let imageSite = Site.ID.layer(.attention, block: index)
        let textSite = Site.ID.layer(.textAttention, block: index)
        let ofImage = pass.withoutReplaced(imageSite, subset, input: { image.x[$0] }, image.site)
        let ofText = isLast
            ? BatchSubset(first: 0) : pass.withoutReplaced(textSite, subset, input: { text.x[$0] }, text.site)
        // Keys and values of both streams are needed wherever one of them has queries.
        let either = ofImage.union(ofText)
        if !either.isEmpty {
            for (layers, stream) in [(self.text, text), (self.image, image)] {
                pass.normalise(
                    stream.x, either, scale: layers.norm1, epsilon: MMJiTConfig.normEpsilon, into: stream.normed,
                    as: layers.qkv.inputPrecision)
                pass.apply(layers.qkv, either, stream.normed, into: stream.qkv)                   // (L or T, 3 H K)
                w.turn(stream, pass, either, queryNorm: queryNorm, keyNorm: keyNorm)              // (L + T, 2 H K)
            }
            pass.attend(ofImage, image.qkv, to: { w.keys(of: $0, for: w.imageAttention) }, into: image.mixed)
            pass.attend(ofText, text.qkv, to: { w.keys(of: $0, for: w.textAttention) }, into: text.mixed)
        }
        for (layers, stream, site, computed) in [
            (self.image, image, imageSite, ofImage), (self.text, text, textSite, ofText),
        ] {
            pass.apply(layers.proj, computed, stream.mixed, into: stream.site)                    // (L or T, D)
            pass.observe(site, computed, input: { stream.x[$0] }, stream.site)
        }
        pass.add(image.site, subset, to: image.x)
        if !isLast { pass.add(text.site, subset, to: text.x) }

        for (layers, stream, kind) in [(self.image, image, LayerKind.mlp), (self.text, text, .textMLP)]
        where !(isLast && kind == .textMLP) {
            pass.site(.layer(kind, block: index), subset, input: stream.x, output: stream.site) { subset in
                layers.mlp(stream, pass, subset)                                                  // (L or T, D)
            }
            pass.add(stream.site, subset, to: stream.x)
        }
    }
}

extension MMJiTStream {
    /// SwiGLU (Shazeer, arXiv 2002.05202): w2 (silu(w1 x) * w3 x) of the normalised tokens, into the stream's site.
    fileprivate func mlp(_ stream: MMJiTWorkspace.Stream, _ pass: ForwardPass, _ subset: BatchSubset) {
        pass.normalise(
            stream.x, subset, scale: norm2, epsilon: MMJiTConfig.normEpsilon, into: stream.normed,
            as: w1.inputPrecision)
        pass.apply(w1, subset, stream.normed, into: stream.gate, activation: .silu)
        pass.apply(w3, subset, stream.normed, into: stream.hidden)
        pass.multiply(by: stream.hidden, subset, stream.gate, as: w2.inputPrecision)
        pass.apply(w2, subset, stream.gate, into: stream.site)
    }

    /// What a block does on `rows` tokens of this stream.
    fileprivate func steps(
        _ prefix: String, _ rows: Int, attention: Site.ID, mlp: Site.ID, meeting: ForwardStep.Work
    ) -> [ForwardStep] {
        let width = norm1.count
        func step(_ name: String, _ site: Site.ID, _ work: ForwardStep.Work) -> ForwardStep {
            ForwardStep(prefix + name, at: site, rows: rows, work)
        }
        return [
            step("norm", attention, .rmsNorm(width: width)),
            step("qkv", attention, .product(qkv, activation: nil)),
            step("attention", attention, meeting),
            step("proj", attention, .product(proj, activation: nil)),
            step("norm", mlp, .rmsNorm(width: width)),
            step("w1", mlp, .product(w1, activation: .silu)),
            step("w3", mlp, .product(w3, activation: nil)),
            step("w2", mlp, .product(w2, activation: nil)),
        ]
    }
}
