/// Pictures that follow each other at a steady rate. One picture is a still.
public struct Clip: Equatable, Sendable {
    /// The rates that a clip can have, in frames a second.
    public static let rates = 1...120

    /// The rate of clips that nobody gave one: that of the training data of most small video models.
    public static let usualRate = 8

    /// The pictures in their order, at least one, all of one shape.
    public let frames: [Image]

    /// How many frames are shown in a second; nil for a still.
    public let framesPerSecond: Int?

    /// Whether there is more than one frame.
    public var moves: Bool { frames.count > 1 }

    /// A still.
    public init(_ picture: Image) {
        frames = [picture]
        framesPerSecond = nil
    }

    /// Joins at least one frame; a single one is a still, at whatever rate.
    public init(_ frames: [Image], framesPerSecond: Int = usualRate) {
        precondition(!frames.isEmpty, "a clip has at least one frame")
        precondition(frames.allSatisfy { $0.hasSameShape(as: frames[0]) }, "the frames of a clip have one shape")
        precondition(Self.rates.contains(framesPerSecond), "no clip has \(framesPerSecond) frames a second")
        self.frames = frames
        self.framesPerSecond = frames.count > 1 ? framesPerSecond : nil
    }
}

extension ImageGrid {
    /// Draws `clips` of one shape and length side by side into one clip, as
    /// ``arrange(_:columns:padding:background:)`` draws pictures.
    ///
    /// The rate is that of the first clip.
    ///
    /// - Throws: ``ImageError/emptyGrid`` without clips, ``ImageError/shapesDiffer(first:second:)`` unless all agree in
    ///   shape and length, ``ImageError/tooLarge(what:limit:)`` beyond 2^28 pixels.
    public static func arrange(
        _ clips: [Clip], columns: Int, padding: Int = 2, background: Colour = .white
    ) throws(ImageError) -> Clip {
        guard let first = clips.first else { throw .emptyGrid }
        for clip in clips where clip.frames.count != first.frames.count {
            throw .shapesDiffer(first: "\(first.frames.count) frames", second: "\(clip.frames.count) frames")
        }
        var frames: [Image] = []
        for index in first.frames.indices {
            frames.append(
                try arrange(
                    clips.map { $0.frames[index] }, columns: columns, padding: padding, background: background))
        }
        return Clip(frames, framesPerSecond: first.framesPerSecond ?? Clip.usualRate)
    }
}
