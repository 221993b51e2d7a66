import Compute
import Dispatch
import Synchronization

/// One forward in progress: the steps that networks consist of, each spread over the threads and over the batch entries
/// (guidance branches) that take part.
struct ForwardPass {
    let call: Int
    let workers: Workers
    let clock: ForwardClock?
    let interceptor: (any SiteInterceptor)?
    /// Memory for the operands of products.
    let scratch: ProductScratch

    /// Rows that one elementwise task handles.
    private static let rowsPerTask = 32

    /// Applies a layer to all entries; those that lie side by side are rows of one product. The outputs are read in
    /// `precision` then.
    func apply(
        _ layer: Linear, _ subset: BatchSubset, _ inputs: EntryRows, into outputs: EntryRows,
        as precision: Precision = .float32, activation: Activation? = nil
    ) {
        outputs.begin(precision)
        let region: ForwardClock.Region = activation == nil ? .product : .activatedProduct
        var rest = subset
        while !rest.isEmpty {
            let entries = rest.firstRun
            let first = entries.lowerBound
            let operand =
                inputs.current(from: first, in: layer.inputPrecision)
                ?? layer.encode(
                    inputs.row(0, of: first), rows: entries.count * inputs.rows, into: scratch, workers: workers
                ) { task in measured(region, task) }
            let wanted = outputs.current(from: first, in: precision)
            let direct = layer.canWrite(precision) ? wanted : nil
            // What the layer cannot write so is encoded, band by band.
            let finish: ((Range<Int>) -> Void)? =
                wanted == nil || direct != nil
                ? nil : { rows in measured(region) { outputs.encode(rows, of: first) } }
            layer(
                operand, blocks: entries.count, rows: inputs.rows, into: direct ?? outputs.inFull(from: first),
                activation: activation, workers: workers, measured: { task in measured(region, task) }, finish: finish)
            for entry in entries { rest.remove(entry) }
        }
    }

    /// The attention of every entry to itself, sequence by sequence, from its queries, keys and values side by side. The
    /// outputs are read in `precision` then.
    func attend(
        _ attention: SequenceAttention, _ subset: BatchSubset, _ qkv: EntryRows, into outputs: EntryRows,
        as precision: Precision = .float32
    ) {
        outputs.begin(precision == attention.precision ? precision : .float32)
        forEach(.attention, subset, tasks: attention.taskCount) { worker, entry, task in
            attention.run(
                task: task, worker: worker, qkv: qkv.latest(from: entry), into: outputs.latest(from: entry))
        }
    }

    /// The attention of every entry's queries to keys and values of its own, as many as it has.
    func attend(
        _ subset: BatchSubset, _ queries: EntryRows,
        to context: (_ entry: Int) -> (attention: Attention, keys: Attention.Rows, values: Attention.Rows),
        into outputs: EntryRows
    ) {
        let most = subset.reduce(0) { max($0, context($1).attention.taskCount) }
        outputs.begin(.float32)
        forEach(.attention, subset, tasks: most) { worker, entry, task in
            let (attention, keys, values) = context(entry)
            guard task < attention.taskCount else { return }
            attention.run(
                task: task, worker: worker, query: Attention.Rows(queries.latest(from: entry)), key: keys,
                value: values, into: Attention.Results(outputs.latest(from: entry)))
        }
    }

    /// y = norm(x) (1 + scale) + shift, of every row; it is read in `precision` then.
    func modulate(
        _ x: EntryRows, _ subset: BatchSubset, epsilon: Double, into y: EntryRows,
        as precision: Precision = .float32,
        by modulation: (_ entry: Int) -> (shift: UnsafePointer<Float>, scale: UnsafePointer<Float>)
    ) {
        y.begin(precision)
        forEachRows(.normalisation, subset, of: x) { entry, rows in
            let (shift, scale) = modulation(entry)
            LayerNorm.modulated(
                x.row(rows.lowerBound, of: entry), rows: rows.count, width: x.columns, epsilon: Float(epsilon),
                shift: shift, scale: scale, into: y.row(rows.lowerBound, of: entry))
            y.encode(rows, of: entry)
        }
    }

    /// x = x + gate y, of every row.
    func addGated(
        _ y: EntryRows, _ subset: BatchSubset, gate: (_ entry: Int) -> UnsafePointer<Float>, to x: EntryRows
    ) {
        forEachRows(.gatedAdd, subset, of: x) { entry, rows in
            Elementwise.addGated(
                y.row(rows.lowerBound, of: entry), gate: gate(entry), rows: rows.count, width: x.columns,
                to: x.row(rows.lowerBound, of: entry))
        }
    }

    /// y = x / rms(x) * scale, of every row; it is read in `precision` then.
    func normalise(
        _ x: EntryRows, _ subset: BatchSubset, scale: Tensor, epsilon: Float, into y: EntryRows,
        as precision: Precision = .float32
    ) {
        y.begin(precision)
        forEachRows(.normalisation, subset, of: x) { entry, rows in
            RMSNorm.apply(
                x.row(rows.lowerBound, of: entry), rows: rows.count, width: x.columns, epsilon: epsilon,
                scale: scale.pointer, into: y.row(rows.lowerBound, of: entry))
            y.encode(rows, of: entry)
        }
    }

    /// x = x + y, y being a row (D) for each frame of a clip.
    func add(_ y: Tensor, toFrames subset: BatchSubset, _ x: EntryRows) {
        let rowsPerFrame = x.rows / y.shape[0]
        forEachRows(.gatedAdd, subset, of: x) { entry, rows in
            for row in rows {
                Elementwise.add(
                    y.pointer + row / rowsPerFrame * x.columns, count: x.columns, to: x.row(row, of: entry))
            }
        }
    }

    /// x = x + y, of every row.
    func add(_ y: EntryRows, _ subset: BatchSubset, to x: EntryRows) {
        forEachRows(.gatedAdd, subset, of: x) { entry, rows in
            Elementwise.add(
                y.row(rows.lowerBound, of: entry), count: rows.count * x.columns,
                to: x.row(rows.lowerBound, of: entry))
        }
    }

    /// x = x y, number by number; it is read in `precision` then.
    func multiply(by y: EntryRows, _ subset: BatchSubset, _ x: EntryRows, as precision: Precision = .float32) {
        x.begin(precision)
        forEachRows(.gatedAdd, subset, of: x) { entry, rows in
            Elementwise.multiply(
                by: y.row(rows.lowerBound, of: entry), count: rows.count * x.columns,
                x.row(rows.lowerBound, of: entry))
            x.encode(rows, of: entry)
        }
    }

    // MARK: - Parallel loops

    /// Runs `body`, and measures it if there is a clock.
    @inline(__always)
    func measured(_ region: ForwardClock.Region, _ body: () -> Void) {
        guard let clock else { return body() }
        clock.measure(region, body)
    }

    private func forEach(
        _ region: ForwardClock.Region, _ subset: BatchSubset, tasks: Int,
        _ body: (_ worker: Int, _ entry: Int, _ task: Int) -> Void
    ) {
        workers.run(tasks: subset.count * tasks) { worker, index in
            measured(region) { body(worker, subset[index / tasks], index % tasks) }
        }
    }

    /// Runs `body` on pieces of the rows of each entry, spread over the threads.
    func forEachRows(
        _ region: ForwardClock.Region, _ subset: BatchSubset, of x: EntryRows,
        _ body: (_ entry: Int, _ rows: Range<Int>) -> Void
    ) {
        let pieces = (x.rows + Self.rowsPerTask - 1) / Self.rowsPerTask
        forEach(region, subset, tasks: pieces) { _, entry, piece in
            body(entry, piece * Self.rowsPerTask..<min(x.rows, (piece + 1) * Self.rowsPerTask))
        }
    }

    // MARK: - Interception

    /// The work at a site, for the entries whose output the interceptor does not supply.
    func site(
        _ site: Site.ID, _ subset: BatchSubset, input: EntryRows, output: EntryRows,
        _ work: (_ subset: BatchSubset) -> Void
    ) {
        let evaluated = withoutReplaced(site, subset, input: { input[$0] }, output)
        guard !evaluated.isEmpty else { return }
        work(evaluated)
        observe(site, evaluated, input: { input[$0] }, output)
    }

    /// Lets the interceptor supply outputs; returns the entries whose work is still to be done.
    func withoutReplaced(
        _ site: Site.ID, _ subset: BatchSubset, input: (_ entry: Int) -> UnsafeMutableBufferPointer<Float>,
        _ outputs: EntryRows
    ) -> BatchSubset {
        guard let interceptor, !subset.isEmpty else { return subset }
        interceptor.approach(site, call: call, entries: subset) { UnsafeBufferPointer(input($0)) }
        var rest = subset
        for entry in subset {
            let source = UnsafeBufferPointer(input(entry))
            if interceptor.replaces(site, call: call, entry: entry, input: source, output: outputs[entry]) {
                rest.remove(entry)
            }
        }
        return rest
    }

    /// Shows the interceptor what has been computed.
    func observe(
        _ site: Site.ID, _ subset: BatchSubset, input: (_ entry: Int) -> UnsafeMutableBufferPointer<Float>,
        _ outputs: EntryRows
    ) {
        guard let interceptor else { return }
        for entry in subset {
            interceptor.observe(
                site, call: call, entry: entry, input: UnsafeBufferPointer(input(entry)),
                output: UnsafeBufferPointer(outputs[entry]))
        }
    }
}

/// Measures where the time of forwards goes, thread by thread, while it is set as a ``ForwardWorkspace``'s clock.
///
/// Every task of a parallel loop is timed on the thread that runs it. What is left of all threads' time between the
/// beginning and the end of a forward is waiting: for the others at the end of a loop, and for the loop to start.
public final class ForwardClock: Sendable {
    /// A kind of work of a forward.
    public enum Region: Int, CaseIterable, Sendable {
        /// Latents to tokens, and tokens back to latents.
        case embedding
        /// Layer norm and modulation.
        case normalisation
        case product
        /// A matrix product with the activation of its result.
        case activatedProduct
        case attention
        case gatedAdd
    }

    /// Nanoseconds of all threads by region; each is added to once per task, so sharing costs nothing.
    private let totals: [Total]

    private final class Total: Sendable {
        let nanoseconds = Atomic<UInt64>(0)
    }

    /// Starts at nothing.
    public init() {
        totals = Region.allCases.map { _ in Total() }
    }

    /// What the threads have spent in a region so far, in seconds, all of them added up.
    public func seconds(in region: Region) -> Double {
        Double(totals[region.rawValue].nanoseconds.load(ordering: .relaxed)) * 1e-9
    }

    /// Runs `body` on the calling thread and adds its time to `region`.
    func measure(_ region: Region, _ body: () -> Void) {
        let start = DispatchTime.now().uptimeNanoseconds
        body()
        totals[region.rawValue].nanoseconds.add(
            DispatchTime.now().uptimeNanoseconds - start, ordering: .relaxed)
    }
}
