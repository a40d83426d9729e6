import CoreGraphics
import Foundation
import ImageIO

/// From an image to the model's input, number for number as in training: bicubic resize, 0..1, minus mean, by deviation.
enum Picture {
    static let height = {{height}}
    static let width = {{width}}
    static let mean: [Float] = [{{mean}}]
    static let std: [Float] = [{{std}}]
    static let labels = [{{labels}}]

    private static let bits = 22 // fixed point of the resize's weights

    /// 1 x 3 x height x width: the red plane, then the green, then the blue one. Hand over an upright image.
    static func input(_ image: CGImage) -> [Float]? {
        pixels(image).map(normalise)
    }

    /// height x width x 3 values: what the model sees of an image of any size.
    static func pixels(_ image: CGImage) -> [Int]? {
        drawn(image).map { resize($0, image.width, image.height) }
    }

    static func load(_ url: URL) -> CGImage? {
        guard let source = CGImageSourceCreateWithURL(url as CFURL, nil) else { return nil }
        return CGImageSourceCreateImageAtIndex(source, 0, nil)
    }

    static func normalise(_ rgb: [Int]) -> [Float] {
        let area = width * height
        return (0..<3 * area).map { i in
            let channel = i / area
            return (Float(rgb[3 * (i % area) + channel]) / 255 - mean[channel]) / std[channel]
        }
    }

    /// The image's own numbers: drawn in its own colour space, so that no colour is converted on the way.
    private static func drawn(_ image: CGImage) -> [Int]? {
        var bytes = [UInt8](repeating: 0, count: image.width * image.height * 4)
        let space = image.colorSpace?.model == .rgb ? image.colorSpace! : CGColorSpaceCreateDeviceRGB()
        let worked = bytes.withUnsafeMutableBytes { buffer -> Bool in
            guard let context = CGContext(
                data: buffer.baseAddress, width: image.width, height: image.height, bitsPerComponent: 8,
                bytesPerRow: image.width * 4, space: space, bitmapInfo: CGImageAlphaInfo.noneSkipLast.rawValue
            ) else { return false }
            context.draw(image, in: CGRect(x: 0, y: 0, width: image.width, height: image.height))
            return true
        }
        guard worked else { return nil }
        return (0..<image.width * image.height * 3).map { Int(bytes[$0 / 3 * 4 + $0 % 3]) }
    }

    /// Pillow's bicubic resize with its antialiasing; Core Graphics gives other pixels, and the model other answers.
    static func resize(_ rgb: [Int], _ fromWidth: Int, _ fromHeight: Int) -> [Int] {
        let wide = fromWidth == width ? rgb : along(rgb, fromWidth, fromHeight, width, rows: false)
        return fromHeight == height ? wide : along(wide, width, fromHeight, height, rows: true)
    }

    private static func along(_ from: [Int], _ fromWidth: Int, _ fromHeight: Int, _ size: Int, rows: Bool) -> [Int] {
        let length = rows ? fromHeight : fromWidth
        let outWidth = rows ? fromWidth : size
        let scale = Double(length) / Double(size)
        let filter = max(scale, 1)
        let support = 2 * filter
        var out = [Int](repeating: 0, count: 3 * (rows ? fromWidth * size : size * fromHeight))
        for place in 0..<size {
            let center = (Double(place) + 0.5) * scale
            let first = max(Int(center - support + 0.5), 0)
            let last = min(Int(center + support + 0.5), length)
            let raw = (first..<last).map { bicubic((Double($0) - center + 0.5) / filter) }
            let total = raw.reduce(0, +)
            let weights = raw.map { fixed($0 / total) }
            for other in 0..<(rows ? fromWidth : fromHeight) {
                for channel in 0..<3 {
                    var sum = 1 << (bits - 1)
                    for (i, weight) in weights.enumerated() {
                        let at = rows ? (first + i) * fromWidth + other : other * fromWidth + first + i
                        sum += from[3 * at + channel] * weight
                    }
                    let to = rows ? place * outWidth + other : other * outWidth + place
                    out[3 * to + channel] = min(max(sum >> bits, 0), 255)
                }
            }
        }
        return out
    }

    private static func bicubic(_ distance: Double) -> Double {
        let x = abs(distance)
        if x < 1 { return (1.5 * x - 2.5) * x * x + 1 }
        if x < 2 { return (((x - 5) * x + 8) * x - 4) * -0.5 }
        return 0
    }

    private static func fixed(_ weight: Double) -> Int {
        Int(weight * Double(1 << bits) + (weight < 0 ? -0.5 : 0.5))
    }
}
