import ArgumentParser
import Pipeline

/// Where the images go.
struct OutputOptions: ParsableArguments {
    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "The path of each image, with the placeholders {class}, {seed} and {index} (and {{ for a brace); '-' is standard output.",
            discussion: """
                Default: {class}-{seed}.png, grid-{seed}.png with --grid, {index}.png with --batch. A file that holds this very image is left \
                as it is and counts as done.
                """, valueName: "pattern"))
    var output: String?

    @Option(help: "The file format. Default: by the ending of the path, else png.")
    var format: ImageFile.Format?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Draw all images into one, in rows of this many.", valueName: "columns"))
    var grid: Int?

    @Flag(help: "Replace other files that stand in the way.")
    var force = false

    @Option(
        help: ArgumentHelp("Start from the noise in this safetensors file, not from the seed's.", valueName: "file"))
    var initNoise: String?

    @Option(
        help: ArgumentHelp("Write the final latents of a single image to this safetensors file.", valueName: "file"))
    var saveLatents: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "After every so many steps, write what the image is about to be beside it, as .preview.png.",
            discussion: "Drawn by the model's tiny decoder, if it has one; gone once the image is there.",
            valueName: "n"))
    var previewEvery: Int?

    /// Whether the picture goes to standard output.
    var usesStandardOutput: Bool { output == "-" }

    /// The format: as asked for, or by the ending of the path.
    func resolvedFormat() throws -> ImageFile.Format {
        let ending = output.flatMap { path in
            path.lastIndex(of: ".").map { path[path.index(after: $0)...].lowercased() }
        }
        let byName = ending.flatMap(ImageFile.Format.init)
        if let format, let byName, format != byName {
            throw PipelineError.usage(
                "--format \(format.rawValue) contradicts the ending of --output \(output ?? ""); change one of them")
        }
        if let ending, format == nil, byName == nil, Self.otherFormats.contains(ending) {
            throw PipelineError.usage("--output \(output ?? ""): cannot write \(ending); name a .png or .ppm file")
        }
        return format ?? byName ?? .png
    }

    /// Endings that promise a format that is not written.
    private static let otherFormats: Set = ["jpg", "jpeg", "gif", "webp", "bmp", "tif", "tiff", "avif", "pgm"]

    /// The pattern of the paths.
    func pattern(format: ImageFile.Format, isGrid: Bool, isList: Bool) throws -> OutputPattern {
        let stem = isGrid ? "grid-{seed}" : isList ? "{index}" : "{class}-{seed}"
        return try OutputPattern(output ?? "\(stem).\(format.rawValue)")
    }
}

extension ImageFile.Format: ExpressibleByArgument {}
