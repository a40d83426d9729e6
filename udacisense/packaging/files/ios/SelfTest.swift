import Foundation

/// Runs the golden pictures through a classifier on this phone and compares the logits. Add the package's golden folder to the
/// app as a folder reference. Call it before the model is trusted with a user's picture, and after each update of the system.
enum SelfTest {
    private struct Golden: Decodable {
        struct Item: Decodable {
            let file: String
            let logits: [Float]
        }

        let tolerance: Float
        let pictures: [Item]
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
        return nil
    }
}
