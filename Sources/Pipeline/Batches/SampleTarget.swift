/// One image, or one grid of images, and the files that hold it.
public struct SampleTarget: Sendable {
    /// Where the picture goes.
    public enum Picture: Sendable {
        case file(ImageFile)
        /// To a function that takes the bytes of a file in this format, for standard output and the like.
        case stream(ImageFile.Format, @Sendable ([UInt8]) throws -> Void)
        /// Nowhere: the model's latents are not pixels.
        case none
    }

    /// The first image's place in the list.
    public let index: Int
    /// The number of the batch's variant.
    public let variant: Int
    /// What is drawn.
    public let record: ImageRecord
    /// Where the picture goes.
    public let picture: Picture
    /// Where the final latents go, if they are wanted.
    public let latents: LatentFile?

    /// The picture's path, or else that of the latents; nil for a stream.
    public var path: String? {
        switch picture {
        case .file(let file): file.path
        case .stream: nil
        case .none: latents?.path
        }
    }

    /// Looks for the picture.
    ///
    /// - Parameter hasher: makes the settings hash of a single image faster than its record does.
    /// - Throws: ``PipelineError`` when another file is in the way or the directory cannot be written to.
    func pictureStanding(_ hasher: SettingsHasher? = nil) throws(PipelineError) -> Standing {
        switch picture {
        case .file(let file):
            try file.standing(for: hasher?.hash(of: record.items[0]) ?? record.settingsHash)
        case .stream: .free
        case .none: .done
        }
    }

    /// Looks for the latents; `done` where none are wanted.
    ///
    /// - Throws: ``PipelineError`` when another file is in the way or the directory cannot be written to.
    func latentsStanding() throws(PipelineError) -> Standing {
        try latents?.standing(for: record) ?? .done
    }
}
