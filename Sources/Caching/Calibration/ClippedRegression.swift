import Compute
import Glibc

/// One step of a sampler that clips x0, seen from one element: how far x0 moves the next state.
struct ClippedStep {
    /// The largest magnitude of x0 that is left as it is.
    let limit: Double
    /// Δz per unit of x0 where it is not clipped.
    let within: Double
    /// Δz per unit of x0 where it is.
    let beyond: Double

    /// What x0 adds to the next state.
    func reach(_ clean: Double) -> Double {
        let clipped = min(max(clean, -limit), limit)
        return within * clipped + beyond * (clean - clipped)
    }

    /// The derivative of ``reach(_:)``.
    func slope(_ clean: Double) -> Double { abs(clean) > limit ? beyond : within }
}

/// Least squares through a step that clips x0: the weights of evaluated outputs from which the step ends nearest to given
/// states.
///
/// x0 is a sum of the outputs, by frequency band, but clipping tells elements apart, not frequencies, and so all bands
/// are fitted at once. The problem is linear but for its kinks: a few Gauss-Newton steps from the prior weights solve it,
/// each shortened until it brings the states nearer. So the result is never farther from them than the prior's, which an
/// inverse of the step could be: it has up to three solutions for an element, and where x0 is clipped their slope has the
/// other sign.
struct ClippedRegression {
    /// What one image contributes; every series has one number per element.
    struct Image {
        /// What each band of each source adds to x0 per unit of weight: source by source, each band in turn.
        let features: [[Float]]
        /// What x0 is with all weights 0.
        let base: [Double]
        /// What x0 is to add to the next state.
        let target: [Double]
    }

    /// The most Gauss-Newton steps.
    private static let mostSteps = 6
    /// How often a step is halved before the present weights are kept.
    private static let mostHalvings = 4
    /// Steps that bring less than this share of the distance are not worth another.
    private static let leastGain = 1e-4
    /// How many elements are processed together.
    private static let stretch = 2048

    let step: ClippedStep
    let images: [Image]
    let bandCount: Int
    /// The ridge towards the prior, relative to the mean energy of a band's sources.
    let relativeRidge: Double

    /// The best weights, by source and band.
    ///
    /// - Parameter prior: Where the search begins, and where the ridge pulls to.
    /// - Returns: Weights from which the steps end no farther from their targets than from the prior's.
    func weights(from prior: [[Double]]) -> [[Double]] {
        let start = prior.flatMap(\.self)
        let scales = scales(start.count)
        func weights(_ moved: [Double]) -> [Double] { start.indices.map { start[$0] + scales[$0] * moved[$0] } }
        // How far each weight has moved from its prior, in units of its scale.
        var moved = start.map { _ in 0.0 }
        var clean = images.map { self.clean($0, start) }
        var pull: [Double]?
        for _ in 0..<Self.mostSteps {
            var (products, right) = linearised(at: clean, scales: scales)
            let ridge = pull ?? self.ridge(products)
            pull = ridge
            for i in start.indices {
                products[i * start.count + i] += ridge[i]
                right[i] -= ridge[i] * moved[i]
            }
            NormalEquations.solve(&products, &right, ridge: 1e-12)
            func cost(_ clean: [[Double]], _ moved: [Double]) -> Double {
                zip(ridge, moved).reduce(distance(clean)) { $0 + $1.0 * $1.1 * $1.1 }
            }
            let present = cost(clean, moved)
            var gained = 0.0
            for halving in 0...Self.mostHalvings where gained == 0 {
                let length = exp2(-Double(halving))
                let tried = moved.indices.map { moved[$0] + length * right[$0] }
                let reached = images.map { self.clean($0, weights(tried)) }
                let left = cost(reached, tried)
                if left < present { (moved, clean, gained) = (tried, reached, present - left) }
            }
            if gained <= Self.leastGain * present { break }
        }
        let best = weights(moved)
        return prior.indices.map { Array(best[$0 * bandCount..<($0 + 1) * bandCount]) }
    }

    /// The inverse norm of each unknown's features, one for each band, so that bands of little energy count as much.
    private func scales(_ unknowns: Int) -> [Double] {
        let energies = (0..<unknowns).map { unknown in
            images.reduce(0) { $0 + $1.features[unknown].reduce(0) { $0 + Double($1) * Double($1) } }
        }
        return energies.indices.map { unknown in
            let band = stride(from: unknown % bandCount, to: unknowns, by: bandCount)
            let mean = band.reduce(0) { $0 + energies[$1] } / Double(unknowns / bandCount)
            return mean > 0 ? 1 / mean.squareRoot() : 0
        }
    }

    /// The ridge of each unknown: a share of the mean of its band's diagonal.
    private func ridge(_ products: [Double]) -> [Double] {
        let unknowns = Int(Double(products.count).squareRoot())
        return (0..<unknowns).map { unknown in
            let band = stride(from: unknown % bandCount, to: unknowns, by: bandCount)
            let sum = band.reduce(0) { $0 + products[$1 * unknowns + $1] }
            return relativeRidge * sum / Double(unknowns / bandCount)
        }
    }

    /// x0 of an image.
    private func clean(_ image: Image, _ weights: [Double]) -> [Double] {
        var clean = image.base
        for (feature, weight) in zip(image.features, weights) {
            for i in clean.indices { clean[i] += weight * Double(feature[i]) }
        }
        return clean
    }

    /// The squared distance of the next states from their targets.
    private func distance(_ clean: [[Double]]) -> Double {
        zip(images, clean).reduce(0) { sum, pair in
            zip(pair.0.target, pair.1).reduce(sum) { sum, element in
                let difference = element.0 - step.reach(element.1)
                return sum + difference * difference
            }
        }
    }

    /// The normal equations of the step as it is near these x0, in scaled unknowns.
    private func linearised(at clean: [[Double]], scales: [Double]) -> (products: [Double], right: [Double]) {
        let unknowns = scales.count
        var products = [Double](repeating: 0, count: unknowns * unknowns)
        var right = [Double](repeating: 0, count: unknowns)
        var rows = [Double](repeating: 0, count: unknowns * Self.stretch)
        for (image, clean) in zip(images, clean) {
            for start in stride(from: 0, to: clean.count, by: Self.stretch) {
                let width = min(Self.stretch, clean.count - start)
                let slopes = (start..<start + width).map { step.slope(clean[$0]) }
                let residuals = (start..<start + width).map { image.target[$0] - step.reach(clean[$0]) }
                for (unknown, feature) in image.features.enumerated() {
                    let row = unknown * width
                    var sum = 0.0
                    for i in 0..<width {
                        let value = scales[unknown] * slopes[i] * Double(feature[start + i])
                        rows[row + i] = value
                        sum += value * residuals[i]
                    }
                    right[unknown] += sum
                }
                BLAS.addOuterProduct(n: unknowns, k: width, rows, lda: width, into: &products, ldc: unknowns)
            }
        }
        // The product is an upper triangle, and the solver reads the lower one.
        for i in 0..<unknowns { for j in 0..<i { products[i * unknowns + j] = products[j * unknowns + i] } }
        return (products, right)
    }
}
