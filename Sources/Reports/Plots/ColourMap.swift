import Media

/// Colours for numbers: from dark for the least to light for the greatest, so that they keep their order in gray too.
enum ColourMap {
    /// Five colours at equal distances, each lighter than the one before.
    private static let anchors = [0x2B1A58, 0x2C5A93, 0x1F9290, 0x74C365, 0xF8E66A].map(Colour.init(hexadecimal:))

    /// The colour at a share from 0 to 1, between two anchors in proportion.
    static func colour(at share: Double) -> Colour {
        let place = min(1, max(0, share)) * Double(anchors.count - 1)
        let index = min(Int(place), anchors.count - 2)
        let (low, high, rest) = (anchors[index], anchors[index + 1], place - Double(index))
        func mix(_ channel: KeyPath<Colour, UInt8>) -> UInt8 {
            let from = Double(low[keyPath: channel])
            return UInt8((from + (Double(high[keyPath: channel]) - from) * rest).rounded())
        }
        return Colour(red: mix(\.red), green: mix(\.green), blue: mix(\.blue))
    }
}
