import CoreGraphics
import ExecuTorch

// Swift package: the branch swiftpm-{{runtime_version}} of pytorch/executorch; products executorch, backend_xnnpack, kernels_optimized
final class ExecuTorchClassifier {
    private let module: Module

    /// The path of {{file}} in the app's bundle.
    init(path: String) {
        module = Module(filePath: path)
    }

    func predict(_ input: [Float]) throws -> [Float] {
        let tensor = Tensor<Float>(input, shape: [1, 3, Picture.height, Picture.width])
        let logits: Tensor<Float> = try module.forward(tensor)[0].tensor()!
        return logits.scalars()
    }

    func classify(_ image: CGImage) throws -> String? {
        guard let input = Picture.input(image) else { return nil }
        let logits = try predict(input)
        return logits.indices.max { logits[$0] < logits[$1] }.map { Picture.labels[$0] }
    }

    func selfTest() throws -> String? { try SelfTest.run(predict) }
}
