/// What a plan has kept of the full run's images.
public struct MeasuredQuality: Codable, Equatable, Sendable {
    /// The PSNR in dB of each image, decoded, to its full run, the smallest first.
    public let decibels: [Double]
    /// How many images these are the hardest of.
    public let screened: Int

    /// Joins the parts.
    public init(decibels: [Double], screened: Int) {
        self.decibels = decibels.map { min($0, Self.mostDecibels) }.sorted()
        self.screened = screened
    }

    /// More images than anyone screens; a larger number stands in no file that was not edited.
    private static let mostScreened = 1_000_000

    /// Whether it can have been measured.
    public var isPossible: Bool { decibels.count <= screened && screened <= Self.mostScreened }

    /// What equal pictures count as, whose PSNR is infinite.
    static let mostDecibels = 200.0
}

/// What plans keep of the full run's images, number of evaluations by number of evaluations.
///
/// Of the screened images only the hardest were run; all others are taken to do better than any that falls short.
public struct QualityCurve: Equatable, Sendable {
    /// The share of images that a promise is about: what it names is their 5th percentile.
    public static let promisedShare = 0.95
    /// The probability at which a sample of images would fall short no oftener than it does, although more than one image
    /// in twenty does, and a promise is made all the same.
    static let doubt = 0.1

    /// What is known of a number of evaluations.
    public struct Point: Equatable, Sendable {
        /// The evaluations.
        public let evaluations: Int
        /// What has been measured.
        public let quality: MeasuredQuality

        /// What at least 95 % of images keep, in dB; nil where too few images were screened to say.
        public var promise: Double? {
            guard let allowed = QualityCurve.allowedShortfalls(of: quality.screened),
                allowed < quality.decibels.count
            else { return nil }
            return quality.decibels[allowed]
        }

        /// The share of images with at least so many decibels.
        public func share(keeping decibels: Double) -> Proportion {
            Proportion(quality.screened - quality.decibels.count { $0 < decibels }, of: quality.screened)
        }
    }

    /// The fewest evaluations first.
    public let points: [Point]

    /// The curve of a calibration; without points where there is none, or none has been measured.
    public init(_ calibration: Calibration?) {
        points = (calibration?.choices ?? []).compactMap { choice in
            guard let quality = choice.quality, quality.isPossible else { return nil }
            return Point(evaluations: choice.evaluations, quality: quality)
        }.sorted { $0.evaluations < $1.evaluations }
    }

    /// The fewest evaluations that promise `quality` dB; nil where none do.
    public func cheapest(keeping quality: Double) -> Point? {
        points.first { ($0.promise ?? -.infinity) >= quality }
    }

    /// Whether so many screened images are enough to promise anything.
    public static func canPromise(screening images: Int) -> Bool { allowedShortfalls(of: images) != nil }

    /// How many of so many images may fall short of what is promised; nil where there are too few images to promise
    /// anything.
    ///
    /// The largest k for which k or fewer shortfalls have a probability of at most ``doubt`` where 5 % fall short.
    static func allowedShortfalls(of images: Int) -> Int? {
        var (term, sum) = (1.0, 0.0)
        for _ in 0..<images { term *= promisedShare }
        for k in 0...images {
            sum += term
            if sum > doubt { return k == 0 ? nil : k - 1 }
            term *= Double(images - k) / Double(k + 1) * (1 - promisedShare) / promisedShare
        }
        return nil
    }
}
