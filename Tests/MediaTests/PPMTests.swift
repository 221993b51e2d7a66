import Media
import Testing

@Suite struct PPMTests {
    @Test(arguments: [(1, 1), (1, 9), (9, 1), (3, 7)], [1, 3])
    func `a decoded PPM has the pixels that were encoded`(size: (Int, Int), channels: Int) throws {
        let image = TestImages.noise(width: size.0, height: size.1, channels: channels)
        #expect(try PPM.decode(PPM.encode(image)) == image)
        #expect(try PPM.decode(PPM.encode(image, comment: "a\n#b\n")) == image)
    }

    @Test func `the bytes are a header and the pixels`() {
        let rgb = Image(width: 1, height: 2, channels: 3, pixels: [65, 66, 67, 68, 69, 70])
        #expect(PPM.encode(rgb) == Array("P6\n1 2\n255\nABCDEF".utf8))
        let gray = Image(width: 2, height: 1, channels: 1, pixels: [65, 66])
        #expect(PPM.encode(gray, comment: "hash 12") == Array("P5\n# hash 12\n2 1\n255\nAB".utf8))
    }

    @Test(arguments: ["", "one", "two\nlines", "# sharp", "ünï 😀", "a\r\nb\u{2028}c"])
    func `a comment comes back line by line`(comment: String) throws {
        let file = PPM.encode(TestImages.flat(10, width: 1, height: 1, channels: 3), comment: comment)
        let lines = comment.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map(String.init)
        #expect(try PPM.comments(in: file) == lines)
    }

    @Test func `other writers' spaces and comments are read`() throws {
        let file = Array("P5 #first\n\n 2\t#no space\n1\r#\n255\n# ".utf8)
        #expect(try PPM.decode(file).pixels == [0x23, 0x20])
        #expect(try PPM.comments(in: file) == ["first", "no space", ""])
    }

    @Test(arguments: [
        ("", "neither P5 nor P6"), ("P", "neither P5 nor P6"), ("P3\n1 1\n255\n000", "neither P5 nor P6"),
        ("P6", "width is missing"), ("P61 1 255 abc", "width is missing"), ("P6 # 1 1 255", "width is missing"),
        ("P6\n1", "height is missing"), ("P6\n1 -1\n255\nabc", "height is missing"),
        ("P6\n1 1\n", "largest sample is missing"), ("P6\n1 1\n255", "header does not end"),
        ("P6\n1 1\n255#\nabc", "header does not end"), ("P6\n0 1\n255\n", "0x1 is no image size"),
        ("P6\n1 1\n65535\nabcdef", "largest sample is 65535"), ("P6\n1 1\n255\nab", "2 bytes of pixels instead of 3"),
        ("P6\n1 1\n255\nabcd", "4 bytes of pixels instead of 3"), ("P6\n99999 99999\n255\n", "exceeds the limit"),
        ("P6\n9223372036854775807 2\n255\n", "exceeds the limit"),
        ("P6\n9223372036854775808 1\n255\n", "width is too large"),
    ])
    func `each kind of damage has its one-line message`(file: String, phrase: String) {
        #expect {
            try PPM.decode(Array(file.utf8))
        } throws: { error in
            error is ImageError && "\(error)".contains(phrase) && isOneLine("\(error)")
        }
    }
}
