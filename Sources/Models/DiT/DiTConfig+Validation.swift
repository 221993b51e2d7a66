extension DiTConfig {
    // Far above every published model, and so low that no product of sizes in this package overflows.
    private static let largestDepth = 1024
    private static let largestWidth = 1 << 15
    private static let largestMLPWidth = 1 << 18
    private static let largestPatch = 1 << 8
    private static let largestGrid = 1 << 8
    private static let largestChannels = 1 << 10
    private static let largestClasses = 1 << 20

    /// Checks every value and how they fit together.
    func validate() throws(ConfigProblem) {
        try Self.check(depth, 1...Self.largestDepth, "depth")
        try Self.check(hiddenSize, 1...Self.largestWidth, "hidden_size")
        try Self.check(heads, 1...Self.largestWidth, "num_heads")
        try Self.check(patchSize, 1...Self.largestPatch, "patch_size")
        try Self.check(inputSize, 1...Self.largestPatch * Self.largestGrid, "input_size")
        try Self.check(inChannels, 1...Self.largestChannels, "in_channels")
        try Self.check(numClasses, 1...Self.largestClasses, "num_classes")
        try Self.check(timestepFrequencyShift, 0...1, "timestep_frequency_shift")
        guard hiddenSize.isMultiple(of: heads) else {
            throw ConfigProblem("hidden_size \(hiddenSize) is not divisible by num_heads \(heads)")
        }
        guard hiddenSize.isMultiple(of: 4) else {
            throw ConfigProblem("hidden_size \(hiddenSize) is not divisible by 4, as sin-cos positions require")
        }
        guard inputSize.isMultiple(of: patchSize) else {
            throw ConfigProblem("input_size \(inputSize) is not divisible by patch_size \(patchSize)")
        }
        try Self.check(gridSize, 1...Self.largestGrid, "input_size / patch_size")
        guard classNames.isEmpty || classNames.count == numClasses else {
            throw ConfigProblem("class_names has \(classNames.count) names, but num_classes is \(numClasses)")
        }
        if let problem = classNames.unprintable(in: "class_names") { throw problem }
        let mlpWidth = Double(hiddenSize) * mlpRatio
        guard mlpWidth >= 1, mlpWidth <= Double(Self.largestMLPWidth) else {
            throw ConfigProblem(
                "mlp_ratio is \(mlpRatio), which makes the MLP's width neither positive nor at most "
                    + "\(Self.largestMLPWidth)")
        }
        for (epsilon, key) in [(normEpsilon, "norm_eps"), (mlpNormEpsilon, "mlp_norm_eps")] {
            guard epsilon > 0, epsilon < 1 else { throw ConfigProblem("\(key) is \(epsilon), not between 0 and 1") }
        }
        if let valueRange {
            // In single precision, as pixels are.
            let (low, high) = (Float(valueRange.lowerBound), Float(valueRange.upperBound))
            guard low.isFinite, high.isFinite, low < high else {
                throw ConfigProblem("value_range is not two different finite numbers in rising order")
            }
        }
        if let guidanceScale, !guidanceScale.isFinite {
            throw ConfigProblem("guidance_scale is \(guidanceScale), not a finite number")
        }
        if let guidanceChannels { try Self.check(guidanceChannels, 1...inChannels, "guidance_channels") }
    }

    private static func check(_ value: Int, _ bounds: ClosedRange<Int>, _ key: String) throws(ConfigProblem) {
        guard bounds.contains(value) else {
            throw ConfigProblem("\(key) is \(value), not in \(bounds.lowerBound)...\(bounds.upperBound)")
        }
    }
}
