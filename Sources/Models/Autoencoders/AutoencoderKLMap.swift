/// Every tensor of the decoder of an `AutoencoderKL`, by the names of diffusers.
struct AutoencoderKLMap {
    /// A residual block.
    struct Residual {
        let norm1: NormSource
        let convolution1: ConvolutionSource
        let norm2: NormSource
        let convolution2: ConvolutionSource
        /// Where the widths differ.
        let shortcut: ConvolutionSource?

        init(_ name: String, inputs: Int, outputs: Int) {
            norm1 = NormSource(name: name + ".norm1", channels: inputs)
            convolution1 = ConvolutionSource(name: name + ".conv1", outputs: outputs, inputs: inputs, side: 3)
            norm2 = NormSource(name: name + ".norm2", channels: outputs)
            convolution2 = ConvolutionSource(name: name + ".conv2", outputs: outputs, inputs: outputs, side: 3)
            shortcut =
                inputs == outputs
                ? nil : ConvolutionSource(name: name + ".conv_shortcut", outputs: outputs, inputs: inputs, side: 1)
        }

        var sources: [any AutoencoderSource] {
            [norm1, convolution1, norm2, convolution2] + (shortcut.map { [$0] } ?? [])
        }
    }

    /// The attention between the middle blocks.
    struct Attention {
        let norm: NormSource
        let query, key, value, out: ConvolutionSource

        /// Checkpoints from before diffusers 0.18 use other names, as `isOld` tells.
        init(_ name: String, width: Int, isOld: Bool) {
            func layer(_ new: String, _ old: String) -> ConvolutionSource {
                ConvolutionSource(name: "\(name).\(isOld ? old : new)", outputs: width, inputs: width, side: 1)
            }
            norm = NormSource(name: name + ".group_norm", channels: width)
            query = layer("to_q", "query")
            key = layer("to_k", "key")
            value = layer("to_v", "value")
            out = layer("to_out.0", "proj_attn")
        }

        var sources: [any AutoencoderSource] { [norm, query, key, value, out] }
    }

    /// The residual blocks of one resolution, and the convolution after the upsampling to the next.
    struct Level {
        let residuals: [Residual]
        let upsampling: ConvolutionSource?

        var sources: [any AutoencoderSource] { residuals.flatMap(\.sources) + (upsampling.map { [$0] } ?? []) }
    }

    let postQuant: ConvolutionSource?
    let input: ConvolutionSource
    let middle: [Residual]
    let attention: Attention?
    let levels: [Level]
    let norm: NormSource
    let output: ConvolutionSource

    /// Lists the tensors; `names` are those of the file, which tell the names of the attention.
    init(config: AutoencoderKLConfig, names: some Sequence<String>) {
        let widths = Array(config.blockOutChannels.reversed())
        let (latent, deepest) = (config.latentChannels, widths[0])
        postQuant =
            config.usesPostQuantConvolution
            ? ConvolutionSource(name: "post_quant_conv", outputs: latent, inputs: latent, side: 1) : nil
        input = ConvolutionSource(name: "decoder.conv_in", outputs: deepest, inputs: latent, side: 3)
        middle = (0..<2).map { Residual("decoder.mid_block.resnets.\($0)", inputs: deepest, outputs: deepest) }
        let name = "decoder.mid_block.attentions.0"
        attention =
            config.hasMidBlockAttention
            ? Attention(name, width: deepest, isOld: names.contains("\(name).query.weight")) : nil
        levels = widths.indices.map { level in
            let (previous, width) = (widths[max(0, level - 1)], widths[level])
            let prefix = "decoder.up_blocks.\(level)"
            return Level(
                residuals: (0...config.layersPerBlock).map {
                    Residual("\(prefix).resnets.\($0)", inputs: $0 == 0 ? previous : width, outputs: width)
                },
                upsampling: level + 1 == widths.count
                    ? nil
                    : ConvolutionSource(name: "\(prefix).upsamplers.0.conv", outputs: width, inputs: width, side: 3))
        }
        let shallowest = widths[widths.count - 1]
        norm = NormSource(name: "decoder.conv_norm_out", channels: shallowest)
        output = ConvolutionSource(name: "decoder.conv_out", outputs: config.outChannels, inputs: shallowest, side: 3)
    }

    /// All parts.
    var sources: [any AutoencoderSource] {
        var sources: [any AutoencoderSource] = postQuant.map { [$0] } ?? []
        sources.append(input)
        sources += middle.flatMap(\.sources)
        sources += attention?.sources ?? []
        sources += levels.flatMap(\.sources)
        sources.append(norm)
        sources.append(output)
        return sources
    }
}
