/// One number a pixel, which measures of images work on.
struct Plane {
    /// Numbers per row.
    let width: Int
    /// Row-major (height, width).
    var values: [Double]

    /// The number of rows.
    var height: Int { values.count / width }

    /// The means of blocks of 2x2, (height / 2, width / 2) rounded up; a block over the edge repeats the last row or
    /// column.
    func halved() -> Plane {
        let (halfWidth, halfHeight) = ((width + 1) / 2, (height + 1) / 2)
        var half = [Double](repeating: 0, count: halfWidth * halfHeight)
        for y in 0..<halfHeight {
            let (above, below) = (2 * y * width, min(2 * y + 1, height - 1) * width)
            for x in 0..<halfWidth {
                let (left, right) = (2 * x, min(2 * x + 1, width - 1))
                half[y * halfWidth + x] =
                    (values[above + left] + values[above + right] + values[below + left] + values[below + right]) / 4
            }
        }
        return Plane(width: halfWidth, values: half)
    }
}

extension Image {
    /// One channel's samples.
    func plane(_ channel: Int) -> Plane {
        Plane(
            width: width, values: stride(from: channel, to: pixels.count, by: channels).map { Double(pixels[$0]) })
    }

    /// Checks that `other` has the same shape and both are at least `least` pixels each way, as `measure` needs.
    ///
    /// - Throws: ``ImageError/shapesDiffer(first:second:)``, ``ImageError/tooSmall(measure:width:height:least:)``.
    func check(against other: Image, measure: String, least: Int) throws(ImageError) {
        guard hasSameShape(as: other) else { throw .shapesDiffer(self, other) }
        guard min(width, height) >= least else {
            throw .tooSmall(measure: measure, width: width, height: height, least: least)
        }
    }
}
