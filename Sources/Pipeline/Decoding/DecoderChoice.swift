/// Which decoder turns latents into pictures.
public enum DecoderChoice: Equatable, Sendable {
    /// The one that the model comes with: none for pixels, `vae` for latents.
    case own
    /// The small, fast one in the model's `vae_tiny`.
    case tiny
    /// The autoencoder in this directory.
    case directory(String)
}
