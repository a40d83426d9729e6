// Runs each classifier's self-test on a JVM: with the golden logits it must pass, with others it must not.
package udacisense

import android.content.AssetManager
import android.content.Context
import java.io.File
import org.json.JSONObject
import udacisense.stubs.Answers

fun selfTest(format: String, context: Context): () -> String? = when (format) {
    "executorch" -> ExecuTorchClassifier(context)::selfTest
    "litert" -> LiteRtClassifier(context)::selfTest
    "onnx" -> OnnxClassifier(context)::selfTest
    else -> PyTorchMobileClassifier(context)::selfTest
}

fun main(arguments: Array<String>) {
    val (format, folder, scratch) = arguments
    val context = Context(AssetManager(File(folder)), File(scratch))
    val golden = JSONObject(File(folder, "golden/golden.json").readText()).getJSONArray("pictures")
    val wanted = (0 until golden.length()).map { i ->
        golden.getJSONObject(i).getJSONArray("logits").let { FloatArray(it.length()) { j -> it.getDouble(j).toFloat() } }
    }
    val test = selfTest(format, context)
    for (shift in listOf(0f, 1000f)) {
        var next = 0
        Answers.of = java.util.function.Function { wanted[next++].map { it + shift }.toFloatArray() }
        println(test() ?: "passed")
    }
    File(scratch, "input.bin").outputStream().channel.use { channel ->
        val input = Picture.input(android.graphics.BitmapFactory.decodeStream(context.assets.open("golden/resize-0.png"), null, null)!!)
        val bytes = java.nio.ByteBuffer.allocate(4 * input.size).order(java.nio.ByteOrder.LITTLE_ENDIAN)
        bytes.asFloatBuffer().put(input)
        channel.write(bytes)
    }
}
