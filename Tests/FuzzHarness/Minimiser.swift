/// Makes an input smaller for as long as its fault stays: leaves out stretches, halves of it at first, single bytes at
/// last (the idea of Zeller's and Hildebrandt's delta debugging, IEEE TSE 28(2), 2002).
struct Minimiser {
    /// Whether a smaller input still shows the fault; nil when there is no more time.
    let showsFault: ([UInt8]) throws -> Bool?

    /// The smallest input that was found.
    func minimised(_ input: [UInt8]) throws -> [UInt8] {
        var input = input
        var length = input.count / 2
        while length > 0 {
            var start = 0
            while start < input.count {
                var candidate = input
                candidate.removeSubrange(start..<min(start + length, input.count))
                guard let stays = try showsFault(candidate) else { return input }
                if stays { input = candidate } else { start += length }
            }
            length = min(length, input.count) / 2
        }
        return input
    }
}
