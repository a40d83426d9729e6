import CoreGraphics
import CoreML
import Foundation

// Unzip {{file}} and add the .mlpackage to the Xcode project; Xcode compiles it to .mlmodelc in the app.
final class CoreMLClassifier {
    private let model: MLModel

    /// The URL of the compiled model: Bundle.main.url(forResource: "optimized_model_mobile", withExtension: "mlmodelc").
    init(url: URL, units: MLComputeUnits = .all) throws {
        let configuration = MLModelConfiguration()
        configuration.computeUnits = units
        model = try MLModel(contentsOf: url, configuration: configuration)
    }

    func predict(_ input: [Float]) throws -> [Float] {
        let shape = [1, 3, Picture.height, Picture.width].map { NSNumber(value: $0) }
        let array = try MLMultiArray(shape: shape, dataType: .float32)
        let (area, width) = (Picture.height * Picture.width, Picture.width)
        array.withUnsafeMutableBufferPointer(ofType: Float.self) { pointer, strides in // rows may be padded
            for (i, value) in input.enumerated() {
                pointer[i / area * strides[1] + i % area / width * strides[2] + i % width * strides[3]] = value
            }
        }
        let features = try MLDictionaryFeatureProvider(dictionary: ["image": MLFeatureValue(multiArray: array)])
        guard let logits = try model.prediction(from: features).featureValue(for: "logits")?.multiArrayValue else { return [] }
        return (0..<logits.count).map { logits[$0].floatValue }
    }

    func classify(_ image: CGImage) throws -> String? {
        guard let input = Picture.input(image) else { return nil }
        let logits = try predict(input)
        return logits.indices.max { logits[$0] < logits[$1] }.map { Picture.labels[$0] }
    }

    func selfTest() throws -> String? { try SelfTest.run(predict) }
}
