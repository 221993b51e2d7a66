import Compute

/// The memory of the feature maps of one decoding, handed from maps that are done with to new ones.
///
/// Maps grow from the latents to the image, so memory that is too small for a new map is let go.
final class FeatureMapPool {
    private var free: [Tensor] = []

    /// A map that holds anything.
    func take(height: Int, width: Int, channels: Int) -> FeatureMap {
        let count = FeatureMap.count(height: height, width: width, channels: channels)
        let fitting = free.indices.filter { free[$0].count >= count }.min { free[$0].count < free[$1].count }
        if let fitting {
            return FeatureMap(height: height, width: width, channels: channels, in: free.remove(at: fitting))
        }
        free.removeAll()
        let values = Tensor(uninitialized: [count])
        return FeatureMap(height: height, width: width, channels: channels, in: values)
    }

    /// Takes back the memory of a map that is not used any more.
    func giveBack(_ map: FeatureMap) {
        free.append(map.values)
    }
}
