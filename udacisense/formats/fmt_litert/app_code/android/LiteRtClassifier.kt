package udacisense

import android.content.Context
import android.graphics.Bitmap
import org.tensorflow.lite.Interpreter
import java.nio.ByteBuffer
import java.nio.ByteOrder

// build.gradle.kts: implementation("com.google.ai.edge.litert:litert:{{litert_android}}")
class LiteRtClassifier(private val context: Context, threads: Int = 1) : AutoCloseable {
    private val interpreter = Interpreter(model("{{file}}"), Interpreter.Options().setNumThreads(threads))

    fun predict(input: FloatArray): FloatArray {
        val buffer = ByteBuffer.allocateDirect(4 * input.size).order(ByteOrder.nativeOrder())
        buffer.asFloatBuffer().put(input)
        val logits = Array(1) { FloatArray(Picture.LABELS.size) }
        interpreter.run(buffer, logits)
        return logits[0]
    }

    fun classify(bitmap: Bitmap): String {
        val logits = predict(Picture.input(bitmap))
        return Picture.LABELS[logits.indices.maxByOrNull { logits[it] }!!]
    }

    fun selfTest(): String? = SelfTest.run(context, ::predict)

    override fun close() = interpreter.close()

    private fun model(name: String): ByteBuffer {
        val bytes = context.assets.open(name).use { it.readBytes() }
        return ByteBuffer.allocateDirect(bytes.size).order(ByteOrder.nativeOrder()).apply { put(bytes); rewind() }
    }
}
