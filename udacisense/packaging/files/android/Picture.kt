package udacisense

import android.graphics.Bitmap
import android.graphics.Color
import kotlin.math.abs
import kotlin.math.max

/** From a bitmap to the model's input, number for number as in training: bicubic resize, 0..1, minus mean, by deviation. */
object Picture {
    const val HEIGHT = {{height}}
    const val WIDTH = {{width}}
    val MEAN = floatArrayOf({{mean_f}})
    val STD = floatArrayOf({{std_f}})
    val LABELS = arrayOf({{labels}})

    private const val BITS = 22 // fixed point of the resize's weights

    /** 1 x 3 x HEIGHT x WIDTH: the red plane, then the green, then the blue one. Load the bitmap as ARGB_8888, upright. */
    fun input(bitmap: Bitmap): FloatArray = normalise(pixels(bitmap))

    /** HEIGHT x WIDTH x 3 values: what the model sees of a bitmap of any size. */
    fun pixels(bitmap: Bitmap): IntArray {
        val pixels = IntArray(bitmap.width * bitmap.height)
        bitmap.getPixels(pixels, 0, bitmap.width, 0, 0, bitmap.width, bitmap.height)
        val rgb = IntArray(pixels.size * 3)
        for (i in pixels.indices) {
            rgb[3 * i] = Color.red(pixels[i])
            rgb[3 * i + 1] = Color.green(pixels[i])
            rgb[3 * i + 2] = Color.blue(pixels[i])
        }
        return resize(rgb, bitmap.width, bitmap.height)
    }

    fun normalise(rgb: IntArray): FloatArray {
        val area = WIDTH * HEIGHT
        return FloatArray(3 * area) { i ->
            val channel = i / area
            (rgb[3 * (i % area) + channel] / 255f - MEAN[channel]) / STD[channel]
        }
    }

    /** Pillow's bicubic resize with its antialiasing; Android's own filters give other pixels, and the model other answers. */
    fun resize(rgb: IntArray, width: Int, height: Int): IntArray {
        val wide = if (width == WIDTH) rgb else along(rgb, width, height, WIDTH, rows = false)
        return if (height == HEIGHT) wide else along(wide, WIDTH, height, HEIGHT, rows = true)
    }

    private fun along(from: IntArray, width: Int, height: Int, size: Int, rows: Boolean): IntArray {
        val length = if (rows) height else width
        val (outWidth, outHeight) = if (rows) Pair(width, size) else Pair(size, height)
        val scale = length.toDouble() / size
        val filter = max(scale, 1.0)
        val support = 2.0 * filter
        val out = IntArray(outWidth * outHeight * 3)
        for (place in 0 until size) {
            val center = (place + 0.5) * scale
            val first = max((center - support + 0.5).toInt(), 0)
            val last = minOf((center + support + 0.5).toInt(), length)
            val raw = DoubleArray(last - first) { bicubic((it + first - center + 0.5) / filter) }
            val total = raw.sum()
            val weights = IntArray(raw.size) { fixed(raw[it] / total) }
            for (other in 0 until (if (rows) width else height)) for (channel in 0 until 3) {
                var sum = 1 shl (BITS - 1)
                for (i in weights.indices) {
                    val at = if (rows) (first + i) * width + other else other * width + first + i
                    sum += from[3 * at + channel] * weights[i]
                }
                val to = if (rows) place * outWidth + other else other * outWidth + place
                out[3 * to + channel] = (sum shr BITS).coerceIn(0, 255)
            }
        }
        return out
    }

    private fun bicubic(distance: Double): Double {
        val x = abs(distance)
        return when {
            x < 1 -> (1.5 * x - 2.5) * x * x + 1
            x < 2 -> (((x - 5) * x + 8) * x - 4) * -0.5
            else -> 0.0
        }
    }

    private fun fixed(weight: Double) = (weight * (1 shl BITS) + if (weight < 0) -0.5 else 0.5).toInt()
}
