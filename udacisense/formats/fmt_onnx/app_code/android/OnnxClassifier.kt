package udacisense

import ai.onnxruntime.OnnxTensor
import ai.onnxruntime.OrtEnvironment
import ai.onnxruntime.OrtSession
import android.content.Context
import android.graphics.Bitmap
import java.nio.FloatBuffer

// build.gradle.kts: implementation("com.microsoft.onnxruntime:onnxruntime-android:{{onnxruntime_android}}")
class OnnxClassifier(private val context: Context, threads: Int = 1) : AutoCloseable {
    private val environment = OrtEnvironment.getEnvironment()
    private val session: OrtSession = OrtSession.SessionOptions().use { options ->
        options.setIntraOpNumThreads(threads)
        environment.createSession(context.assets.open("{{file}}").use { it.readBytes() }, options)
    }

    fun predict(input: FloatArray): FloatArray {
        val shape = longArrayOf(1, 3, Picture.HEIGHT.toLong(), Picture.WIDTH.toLong())
        OnnxTensor.createTensor(environment, FloatBuffer.wrap(input), shape).use { tensor ->
            session.run(mapOf(session.inputNames.first() to tensor)).use { result ->
                @Suppress("UNCHECKED_CAST")
                return (result[0].value as Array<FloatArray>)[0]
            }
        }
    }

    fun classify(bitmap: Bitmap): String {
        val logits = predict(Picture.input(bitmap))
        return Picture.LABELS[logits.indices.maxByOrNull { logits[it] }!!]
    }

    fun selfTest(): String? = SelfTest.run(context, ::predict)

    override fun close() = session.close()
}
