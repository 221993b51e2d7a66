import Pipeline

/// One image, or one grid of images, with the places that it goes to.
struct SampleTarget: Sendable {
    /// Where the picture goes.
    enum Picture {
        case file(ImageFile)
        case standardOutput
        /// Nowhere: the model's latents are not pixels.
        case none
    }

    /// The first image's place in the list.
    let index: Int
    /// The number of the request's variant.
    let variant: Int
    let record: ImageRecord
    let picture: Picture
    /// Where the final latents go, if they are wanted.
    let latents: LatentFile?

    /// The path that stands for the target: that of the picture, else that of the latents; nil for standard output.
    var path: String? {
        switch picture {
        case .file(let file): file.path
        case .standardOutput: nil
        case .none: latents?.path
        }
    }

    /// Looks for the picture.
    ///
    /// - Parameter hasher: makes the settings hash of a single image, if there is one for them.
    /// - Returns: whether the picture is there.
    /// - Throws: ``PipelineError`` when another file is in the way or the place cannot be written to.
    func pictureStanding(_ hasher: SettingsHasher? = nil) throws(PipelineError) -> Standing {
        switch picture {
        case .file(let file):
            try file.standing(for: hasher?.hash(of: record.items[0]) ?? record.settingsHash)
        case .standardOutput: .free
        case .none: .done
        }
    }

    /// Looks for the latents; those that nobody wants are done.
    ///
    /// - Throws: ``PipelineError`` when another file is in the way or the place cannot be written to.
    func latentsStanding() throws(PipelineError) -> Standing {
        try latents?.standing(for: record) ?? .done
    }
}
