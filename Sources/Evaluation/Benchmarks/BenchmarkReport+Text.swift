import Reports

extension BenchmarkReport {
    /// The report for a terminal: a heading and a table for each part. Ends with a line break.
    public var text: String {
        let tables = [operationTable, forwardTable, timingTable, profileTable, scalingTable].compactMap(\.self)
        return ([heading] + tables.map(\.plainText)).joined(separator: "\n")
    }

    private var heading: String {
        """
        \(subject.name): depth \(subject.depth), width \(subject.width), \(subject.heads) heads, \(subject.tokens) tokens
        \(kernels); \(threads) threads; medians of \(repeats), with quartiles

        """
    }

    private static let timeColumns = ["ms", "quartiles"].map { HTMLTable.Column($0) }

    private static func times(_ seconds: Quartiles) -> [HTMLTable.Cell] {
        let digits = seconds.median < 0.1 ? 3 : 1
        return [.number(seconds.median * 1e3, digits: digits), range(seconds.lower * 1e3, seconds.upper * 1e3, digits)]
    }

    /// A share with its interval.
    private static func share(_ ratio: PairedRatio?) -> [HTMLTable.Cell] {
        guard let ratio else { return [] }
        return [.number(ratio.quartiles.median, digits: 3), range(ratio.low, ratio.high, 3)]
    }

    private static func range(_ low: Double, _ high: Double, _ digits: Int) -> HTMLTable.Cell {
        .text("\(fixed(low, digits)) - \(fixed(high, digits))")
    }

    private static func fixed(_ number: Double, _ digits: Int) -> String {
        let scale = (0..<digits).reduce(1.0) { power, _ in power * 10 }
        return "\((number * scale).rounded() / scale)"
    }

    private var operationTable: HTMLTable? {
        operations.map { operations in
            HTMLTable(
                caption: "operations, each checked before it was timed; share: of the same products bare",
                columns: [HTMLTable.Column("operation"), HTMLTable.Column("shape")] + Self.timeColumns
                    + ["GFLOP/s", "GB/s", "share", "interval"].map { HTMLTable.Column($0) },
                sections: [
                    HTMLTable.Section(
                        rows: operations.map { operation in
                            let rates = [operation.gflops, operation.gigabytesPerSecond].map {
                                $0.map { HTMLTable.Cell.number($0, digits: 1) } ?? .empty
                            }
                            return HTMLTable.Row(
                                [.text(operation.name), .text(operation.shape)] + Self.times(operation.seconds) + rates
                                    + Self.share(operation.share))
                        })
                ])
        }
    }

    private var forwardTable: HTMLTable? {
        forwards.map { forwards in
            HTMLTable(
                caption: "forwards; share: of the sgemm rate, that of their own matrix products bare, pair by pair",
                columns: [HTMLTable.Column("forward")] + Self.timeColumns
                    + ["GFLOP/s", "sgemm GFLOP/s", "share", "interval"].map { HTMLTable.Column($0) },
                sections: [
                    HTMLTable.Section(
                        rows: forwards.map { forward in
                            HTMLTable.Row(
                                [.text(forward.branches == 1 ? "one branch" : "guided")] + Self.times(forward.seconds)
                                    + [.number(forward.gflops, digits: 1), .number(forward.bareGflops, digits: 1)]
                                    + Self.share(forward.share))
                        })
                ])
        }
    }

    private var timingTable: HTMLTable? {
        timings.map { timings in
            HTMLTable(
                caption: "", columns: [HTMLTable.Column("what")] + Self.timeColumns,
                sections: [
                    HTMLTable.Section(
                        rows: timings.map { HTMLTable.Row([.text($0.what)] + Self.times($0.seconds)) })
                ])
        }
    }

    private var profileTable: HTMLTable? {
        profile.map { profile in
            let total = profile.parts.reduce(0) { $0 + $1.share }
            let rows =
                profile.parts.map {
                    HTMLTable.Row([
                        .text($0.name), .number($0.share * 100, digits: 1), .number($0.seconds * 1e3, digits: 3),
                    ])
                } + [
                    HTMLTable.Row([
                        .text("all"), .number(total * 100, digits: 1),
                        .number(profile.seconds * Double(threads) * 1e3, digits: 3),
                    ])
                ]
            return HTMLTable(
                caption: "a forward of \(profile.branches == 1 ? "one branch" : "both branches"): "
                    + "\(Self.fixed(profile.seconds * 1e3, 3)) ms on \(threads) threads",
                columns: ["part", "%", "ms of all threads"].map { HTMLTable.Column($0) },
                sections: [HTMLTable.Section(rows: rows)])
        }
    }

    private var scalingTable: HTMLTable? {
        scaling.map { scaling in
            HTMLTable(
                caption: "scaling; 1 is in proportion",
                columns: ["what", "ratio", "interval"].map { HTMLTable.Column($0) },
                sections: [
                    HTMLTable.Section(rows: [
                        HTMLTable.Row([.text("time of twice the images")] + Self.share(scaling.images)),
                        HTMLTable.Row(
                            [.text("time of \(scaling.tokens[1]) tokens, to \(scaling.tokens[0]), by operations")]
                                + Self.share(scaling.tokenCost)),
                        HTMLTable.Row([
                            .text("tensors allocated in steps"), .number(Double(scaling.allocationsInSteps), digits: 0),
                        ]),
                    ])
                ])
        }
    }
}
