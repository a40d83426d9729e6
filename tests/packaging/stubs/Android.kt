// As much of Android's classes as the package's code uses, with their signatures; made to run on a JVM.
package android.content

import java.io.File
import java.io.InputStream

class AssetManager(private val folder: File) {
    fun open(name: String): InputStream = File(folder, name).inputStream()
}

class Context(val assets: AssetManager, val filesDir: File)
