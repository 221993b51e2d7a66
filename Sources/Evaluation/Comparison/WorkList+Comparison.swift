import Pipeline

extension WorkList {
    /// `count` images whose classes are spread evenly over all: image i has seed `seed` + i and class
    /// floor(i · classes / count), or the classes in turn where there are more images than classes.
    ///
    /// - Throws: As ``init(seed:count:classes:classCount:)``.
    public static func spread(seed: UInt32, count: Int, classCount: Int) throws(PipelineError) -> WorkList {
        let classes = (0..<min(max(count, 1), classCount)).map { $0 * classCount / min(max(count, 1), classCount) }
        return try WorkList(seed: seed, count: count, classes: classes, classCount: classCount)
    }
}
