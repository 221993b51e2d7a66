import Compute
import Pipeline

extension ImageSampler {
    /// The steps of an image that allocate tensors, by their number.
    ///
    /// The count of tensors is the process's, and other suites allocate at the same time. What a step allocates itself shows in
    /// every attempt, so a step is free of it as soon as one attempt has seen it so.
    func stepsThatAllocate(_ item: SampleItem, attempts: Int = 50) throws -> Set<Int> {
        var always: Set<Int>?
        for _ in 0..<attempts {
            var run = try start(item)
            var (found, step, goesOn) = (Set<Int>(), 0, true)
            while goesOn {
                let before = Tensor.allocationCount
                goesOn = try run.next() != nil
                if Tensor.allocationCount != before { found.insert(step) }
                step += 1
            }
            always = always?.intersection(found) ?? found
        }
        return always ?? []
    }
}
