import Foundation

/// Runs the golden images through a classifier on this phone and compares the logits. Add the package's golden folder to the
/// app as a folder reference. Call it before the model is trusted with a user's image, and after each update of the system.
enum SelfTest {
    private struct Golden: Decodable {
        struct Item: Decodable {
            let file: String
            let logits: [Float]
        }

        struct Pair: Decodable {
            let file: String
            let expected: String
        }

        let tolerance: Float
        let pictures: [Item]
        let resize: [Pair]
    }

    /// nil if every answer is right, else what is wrong.
    static func run(_ predict: ([Float]) throws -> [Float]) throws -> String? {
        guard let folder = Bundle.main.url(forResource: "golden", withExtension: nil) else { return "golden is not in the app" }
        let golden = try JSONDecoder().decode(Golden.self, from: Data(contentsOf: folder.appendingPathComponent("golden.json")))
        for picture in golden.pictures {
            guard let image = Picture.load(folder.appendingPathComponent(picture.file)), let input = Picture.input(image) else {
                return "\(picture.file) cannot be decoded"
            }
            let logits = try predict(input)
            guard logits.count == picture.logits.count else { return "\(picture.file): \(logits.count) logits" }
            let gap = zip(logits, picture.logits).map { abs($0 - $1) }.max() ?? 0
            if !(gap <= golden.tolerance) {
                return "\(picture.file): the logits differ by \(gap), allowed are \(golden.tolerance)"
            }
        }
        return resizeTest(folder, golden.resize)
    }

    /// nil if images of other sizes become the expected pixels.
    private static func resizeTest(_ folder: URL, _ pairs: [Golden.Pair]) -> String? {
        for pair in pairs {
            let images = [pair.file, pair.expected].map { Picture.load(folder.appendingPathComponent($0)).flatMap(Picture.pixels) }
            guard let made = images[0], let wanted = images[1] else { return "\(pair.file) cannot be decoded" }
            let gap = zip(made, wanted).map { abs($0 - $1) }.max() ?? 0
            if gap > 1 { return "\(pair.file): resized pixels differ by \(gap) levels, allowed is 1" }
        }
        return nil
    }
}
