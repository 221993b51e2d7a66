/// Byte strings with a number each, found by walking along a text.
///
/// The edges of all nodes are in one open hash table, whose key is a node and the byte that leads away from it.
struct ByteTrie: Sendable {
    /// Where a walk stands; 0 is the beginning.
    typealias Node = Int32

    /// An edge: the key, and the node that it leads to; 0 where the place is free, since nothing leads to the root.
    private var keys: [UInt64]
    private var targets: [Node]
    /// The number of the string that ends at a node; -1 where none does.
    private var numbers: [Int32] = [-1]
    private var mask: Int

    /// The strings in order; an empty one is never found, and of equal ones the last number counts.
    init(_ strings: some Sequence<(bytes: ArraySlice<UInt8>, number: Int32)>) {
        keys = Array(repeating: 0, count: 1 << 10)
        targets = Array(repeating: 0, count: 1 << 10)
        mask = keys.count - 1
        for (bytes, number) in strings where !bytes.isEmpty { insert(bytes, number) }
    }

    /// Whether there is no string.
    var isEmpty: Bool { numbers.count == 1 }

    /// The node after `node` along `byte`; nil where no string goes on so.
    @inline(__always)
    func next(_ node: Node, _ byte: UInt8) -> Node? {
        let target = targets[place(of: Self.key(node, byte))]
        return target > 0 ? target : nil
    }

    /// The number of the string that ends at `node`; nil where none does.
    @inline(__always)
    func number(at node: Node) -> Int32? {
        let number = numbers[Int(node)]
        return number >= 0 ? number : nil
    }

    /// The longest string that `bytes` begin with.
    func longestPrefix(of bytes: ArraySlice<UInt8>) -> (length: Int, number: Int32)? {
        var (node, longest): (Node, (Int, Int32)?) = (0, nil)
        for (index, byte) in zip(1..., bytes) {
            guard let target = next(node, byte) else { break }
            node = target
            if let number = number(at: node) { longest = (index, number) }
        }
        return longest
    }

    @inline(__always)
    private static func key(_ node: Node, _ byte: UInt8) -> UInt64 {
        UInt64(UInt32(bitPattern: node)) << 8 | UInt64(byte)
    }

    /// Where a key is, or would be.
    @inline(__always)
    private func place(of key: UInt64) -> Int {
        // Fibonacci hashing: the upper bits of the product are the mixed ones.
        var place = Int(truncatingIfNeeded: (key &+ 1) &* 0x9E37_79B9_7F4A_7C15 >> 32) & mask
        while targets[place] != 0, keys[place] != key { place = (place + 1) & mask }
        return place
    }

    private mutating func insert(_ bytes: ArraySlice<UInt8>, _ number: Int32) {
        var node: Node = 0
        for byte in bytes {
            let key = Self.key(node, byte)
            let place = place(of: key)
            if targets[place] == 0 {
                keys[place] = key
                targets[place] = Node(numbers.count)
                numbers.append(-1)
            }
            node = targets[place]
            if 2 * numbers.count > keys.count { grow() }
        }
        numbers[Int(node)] = number
    }

    private mutating func grow() {
        let (oldKeys, oldTargets) = (keys, targets)
        keys = Array(repeating: 0, count: 2 * oldKeys.count)
        targets = Array(repeating: 0, count: keys.count)
        mask = keys.count - 1
        for (key, target) in zip(oldKeys, oldTargets) where target != 0 {
            let place = place(of: key)
            (keys[place], targets[place]) = (key, target)
        }
    }
}
