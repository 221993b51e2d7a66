/// A stream of independent standard normal numbers.
public protocol NormalSource {
    /// Fills `values` with the next numbers of the stream.
    mutating func fill(_ values: UnsafeMutableBufferPointer<Float>)
}
