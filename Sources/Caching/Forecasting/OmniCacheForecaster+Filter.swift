extension OmniCacheForecaster {
    /// What is passed where.
    public struct Filter: Equatable, Sendable {
        /// The share of the run, counted in calls, after which the low-pass becomes a high-pass.
        public let boundary: Double
        /// Before the boundary, bands below this one pass.
        public let lowPass: Int
        /// After the boundary, bands from this one on pass.
        public let highPass: Int
        /// The number of bands.
        public let bandCount: Int

        /// Joins the parts: cutoffs from 0 to the number of bands, and a share from 0 to 1.
        public init(boundary: Double, lowPass: Int, highPass: Int, bandCount: Int = 8) {
            precondition((1...255).contains(bandCount), "\(bandCount) bands")
            precondition((0...bandCount).contains(lowPass) && (0...bandCount).contains(highPass), "cutoffs")
            precondition((0...1).contains(boundary), "a boundary of \(boundary)")
            self.boundary = boundary
            self.lowPass = lowPass
            self.highPass = highPass
            self.bandCount = bandCount
        }

        /// Where nothing else is asked for: the lower half of eight bands in the first half of the run, all but the lowest
        /// two in the second [I].
        public static let standard = Filter(boundary: 0.5, lowPass: 4, highPass: 2)

        /// For each band, 1 where the correction passes at `call` of `count` and 0 where it does not.
        func passes(at call: Int, of count: Int) -> [Double] {
            let isEarly = Double(call) < boundary * Double(count)
            return (0..<bandCount).map { (isEarly ? $0 < lowPass : $0 >= highPass) ? 1 : 0 }
        }
    }
}

extension OmniCacheForecaster.Filter: Codable {
    private enum CodingKeys: String, CodingKey {
        case boundary, lowPass, highPass
        case bandCount = "bands"
    }

    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        let boundary = try fields.decode(Double.self, forKey: .boundary)
        let bands = try fields.decode(Int.self, forKey: .bandCount)
        let low = try fields.decode(Int.self, forKey: .lowPass)
        let high = try fields.decode(Int.self, forKey: .highPass)
        guard (0...1).contains(boundary), (1...255).contains(bands), (0...bands).contains(low),
            (0...bands).contains(high)
        else {
            throw PlanError.invalidForecaster(
                "omnicache: a filter has a boundary from 0 to 1 and cutoffs from 0 to its 1 to 255 bands")
        }
        self.init(boundary: boundary, lowPass: low, highPass: high, bandCount: bands)
    }
}
