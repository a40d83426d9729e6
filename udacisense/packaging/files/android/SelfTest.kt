package udacisense

import android.content.Context
import android.graphics.Bitmap
import android.graphics.BitmapFactory
import org.json.JSONArray
import org.json.JSONObject
import kotlin.math.abs

/**
 * Runs the golden pictures through a classifier on this phone and compares the logits. Copy the package's golden/ folder to
 * src/main/assets/golden. Call it once before the model is trusted with a user's picture, and after each update of the runtime.
 */
object SelfTest {
    /** Null if every answer is right, else what is wrong. */
    fun run(context: Context, predict: (FloatArray) -> FloatArray): String? {
        val golden = JSONObject(context.assets.open("golden/golden.json").bufferedReader().use { it.readText() })
        val tolerance = golden.getDouble("tolerance")
        val pictures = golden.getJSONArray("pictures")
        for (i in 0 until pictures.length()) {
            val picture = pictures.getJSONObject(i)
            val name = picture.getString("file")
            val bitmap = decoded(context, name) ?: return "$name cannot be decoded"
            val logits = predict(Picture.input(bitmap))
            val expected = picture.getJSONArray("logits")
            if (logits.size != expected.length()) return "$name: ${logits.size} logits, expected ${expected.length()}"
            val gap = logits.indices.maxOf { abs(logits[it] - expected.getDouble(it)) }
            if (!(gap <= tolerance)) return "$name: the logits differ by $gap, allowed are $tolerance"
        }
        return resizeTest(context, golden.getJSONArray("resize"))
    }

    /** Null if images of other sizes become the expected pixels. */
    private fun resizeTest(context: Context, pairs: JSONArray): String? {
        for (i in 0 until pairs.length()) {
            val name = pairs.getJSONObject(i).getString("file")
            val made = Picture.pixels(decoded(context, name) ?: return "$name cannot be decoded")
            val expected = pairs.getJSONObject(i).getString("expected")
            val wanted = Picture.pixels(decoded(context, expected) ?: return "$expected cannot be decoded")
            val gap = made.indices.maxOf { abs(made[it] - wanted[it]) }
            if (gap > 1) return "$name: resized pixels differ by $gap levels, allowed is 1"
        }
        return null
    }

    private fun decoded(context: Context, name: String): Bitmap? {
        val options = BitmapFactory.Options().apply { inScaled = false; inPremultiplied = false }
        return context.assets.open("golden/$name").use { BitmapFactory.decodeStream(it, null, options) }
    }
}
