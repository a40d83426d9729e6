package android.graphics

import java.awt.image.BufferedImage
import java.io.InputStream
import javax.imageio.ImageIO

class Bitmap(private val image: BufferedImage) {
    val width: Int get() = image.width
    val height: Int get() = image.height

    fun getPixels(pixels: IntArray, offset: Int, stride: Int, x: Int, y: Int, width: Int, height: Int) {
        image.getRGB(x, y, width, height, pixels, offset, stride)
    }
}

object BitmapFactory {
    class Options {
        @JvmField var inScaled = true
        @JvmField var inPremultiplied = true
    }

    @JvmStatic fun decodeStream(stream: InputStream?, padding: Any?, options: Options?): Bitmap? =
        ImageIO.read(stream)?.let(::Bitmap)
}

object Color {
    @JvmStatic fun red(color: Int) = color shr 16 and 0xFF
    @JvmStatic fun green(color: Int) = color shr 8 and 0xFF
    @JvmStatic fun blue(color: Int) = color and 0xFF
}
