/// C channels over H x W pixels, channel-last: the C numbers of a pixel lie side by side.
///
/// A pixel takes ``stride`` numbers, C rounded up to whole vectors; those past C are zero, so that kernels need no
/// loop for a rest. Whatever reads pixels by channel (group norm, the transforms of a convolution, an attention over
/// the pixels as tokens) then reads memory in order.
public struct FeatureMap {
    /// H, W and C.
    public let height, width, channels: Int
    /// At least H W ``stride`` numbers; (H, W, stride) in row-major order.
    public let values: Tensor

    /// The distance between pixels.
    public var stride: Int { Vector.whole(channels) }
    /// H W.
    public var pixels: Int { height * width }

    /// The numbers that a map of the given size takes.
    public static func count(height: Int, width: Int, channels: Int) -> Int {
        height * width * Vector.whole(channels)
    }

    /// Lays a map over `values`, which may be longer than it.
    public init(height: Int, width: Int, channels: Int, in values: Tensor) {
        precondition(values.count >= Self.count(height: height, width: width, channels: channels))
        self.height = height
        self.width = width
        self.channels = channels
        self.values = values
    }

    /// Copies planes (C, H, W), each number changed by `change`, into a new map.
    public init(planes: Tensor, _ change: (Float) -> Float = { $0 }) {
        precondition(planes.shape.count == 3, "planes of shape \(planes.shape)")
        let (channels, height, width) = (planes.shape[0], planes.shape[1], planes.shape[2])
        let values = Tensor([height, width, Vector.whole(channels)])
        self.init(height: height, width: width, channels: channels, in: values)
        withExtendedLifetime(planes) {
            for channel in 0..<channels {
                for pixel in 0..<pixels {
                    values.pointer[pixel * stride + channel] = change(planes.pointer[channel * pixels + pixel])
                }
            }
        }
    }

    /// A copy as planes (C, H, W), each number changed by `change`.
    public func planes(_ change: (Float) -> Float = { $0 }) -> Tensor {
        let planes = Tensor([channels, height, width])
        withExtendedLifetime(values) {
            for channel in 0..<channels {
                for pixel in 0..<pixels {
                    planes.pointer[channel * pixels + pixel] = change(values.pointer[pixel * stride + channel])
                }
            }
        }
        return planes
    }
}

extension FeatureMap {
    /// A sum of a convolution of 3 x 3 taps (Cout, Cin, 3, 3) of this map, by plain loops in double precision: what kernels
    /// are checked against.
    package func plainSum(taps: Tensor, output: Int, y: Int, x: Int) -> Double {
        var sum = 0.0
        for dy in 0..<3 where (0..<height).contains(y + dy - 1) {
            for dx in 0..<3 where (0..<width).contains(x + dx - 1) {
                let pixel = ((y + dy - 1) * width + x + dx - 1) * stride
                for input in 0..<channels {
                    let tap = taps.values[((output * channels + input) * 3 + dy) * 3 + dx]
                    sum += Double(tap) * Double(values.values[pixel + input])
                }
            }
        }
        return sum
    }
}

/// The memory of the feature maps of one decoding; new maps reuse that of old ones.
///
/// Maps grow from the latents to the image, so memory that is too small for a new map is freed.
package final class FeatureMapPool {
    private var free: [Tensor] = []

    /// Starts without memory.
    package init() {}

    /// A map with arbitrary contents.
    package func take(height: Int, width: Int, channels: Int) -> FeatureMap {
        let count = FeatureMap.count(height: height, width: width, channels: channels)
        let fitting = free.indices.filter { free[$0].count >= count }.min { free[$0].count < free[$1].count }
        if let fitting {
            return FeatureMap(height: height, width: width, channels: channels, in: free.remove(at: fitting))
        }
        free.removeAll()
        let values = Tensor(uninitialized: [count])
        return FeatureMap(height: height, width: width, channels: channels, in: values)
    }

    /// Takes back the memory of a map that is no longer used.
    package func giveBack(_ map: FeatureMap) {
        free.append(map.values)
    }
}
