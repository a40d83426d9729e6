package udacisense

import android.content.Context
import android.graphics.Bitmap
import org.pytorch.IValue
{{loader_import}}import org.pytorch.Module
import org.pytorch.Tensor
import java.io.File

// build.gradle.kts: implementation("org.pytorch:{{pytorch_android}}:2.1.0"), the last release of PyTorch Mobile
class PyTorchMobileClassifier(private val context: Context) {
    private val module: Module = {{loader}}.load(assetPath("{{file}}"))

    fun predict(input: FloatArray): FloatArray {
        val tensor = Tensor.fromBlob(input, longArrayOf(1, 3, Picture.HEIGHT.toLong(), Picture.WIDTH.toLong()))
        return module.forward(IValue.from(tensor)).toTensor().dataAsFloatArray
    }

    fun classify(bitmap: Bitmap): String {
        val logits = predict(Picture.input(bitmap))
        return Picture.LABELS[logits.indices.maxByOrNull { logits[it] }!!]
    }

    fun selfTest(): String? = SelfTest.run(context, ::predict)

    private fun assetPath(name: String): String {
        val file = File(context.filesDir, name)
        context.assets.open(name).use { from -> file.outputStream().use { from.copyTo(it) } }
        return file.absolutePath
    }
}
