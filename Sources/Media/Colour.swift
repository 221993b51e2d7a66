/// An opaque colour of 8 bits per channel.
public struct Colour: Equatable, Sendable {
    public var red: UInt8
    public var green: UInt8
    public var blue: UInt8

    public static let white = Colour(gray: 255)
    public static let black = Colour(gray: 0)

    public init(red: UInt8, green: UInt8, blue: UInt8) {
        self.red = red
        self.green = green
        self.blue = blue
    }

    public init(gray: UInt8) {
        self.init(red: gray, green: gray, blue: gray)
    }

    /// The samples of one pixel: three channels as they are, one channel as luma (ITU-R BT.601: 0.299, 0.587, 0.114).
    func samples(channels: Int) -> [UInt8] {
        guard channels == 1 else { return [red, green, blue] }
        let thousandths = 299 * Int(red) + 587 * Int(green) + 114 * Int(blue)
        return [UInt8((thousandths + 500) / 1000)]
    }
}
