package udacisense

import android.content.Context
import android.graphics.Bitmap
import org.pytorch.executorch.EValue
import org.pytorch.executorch.Module
import org.pytorch.executorch.Tensor
import java.io.File

// build.gradle.kts: implementation("org.pytorch:executorch-android:{{runtime_version}}"), or a newer release: older ones may not read it
class ExecuTorchClassifier(private val context: Context) {
    private val module = Module.load(assetPath("{{file}}"))

    fun predict(input: FloatArray): FloatArray {
        val tensor = Tensor.fromBlob(input, longArrayOf(1, 3, Picture.HEIGHT.toLong(), Picture.WIDTH.toLong()))
        return module.forward(EValue.from(tensor))[0].toTensor().dataAsFloatArray
    }

    fun classify(bitmap: Bitmap): String {
        val logits = predict(Picture.input(bitmap))
        return Picture.LABELS[logits.indices.maxByOrNull { logits[it] }!!]
    }

    fun selfTest(): String? = SelfTest.run(context, ::predict)

    /** The runtime maps a file; an asset is none until it is copied out of the APK. */
    private fun assetPath(name: String): String {
        val file = File(context.filesDir, name)
        context.assets.open(name).use { from -> file.outputStream().use { from.copyTo(it) } }
        return file.absolutePath
    }
}
