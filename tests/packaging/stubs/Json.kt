// org.json's classes over the values of a small reader: numbers, strings, lists and objects are all that golden.json holds.
package org.json

class JSONObject(private val held: Map<*, *>) {
    constructor(text: String) : this(Reader(text).value() as Map<*, *>)

    fun getDouble(name: String): Double = held[name] as Double
    fun getString(name: String): String = held[name] as String
    fun getJSONArray(name: String): JSONArray = JSONArray(held[name] as List<*>)
}

class JSONArray(private val held: List<*>) {
    fun length(): Int = held.size
    fun getDouble(index: Int): Double = held[index] as Double
    fun getJSONObject(index: Int): JSONObject = JSONObject(held[index] as Map<*, *>)
}

private class Reader(private val text: String) {
    private var at = 0

    fun value(): Any? {
        skip()
        return when (text[at]) {
            '{' -> items('}') { val name = value() as String; skip(); at++; name to value() }.let { it.associate { pair -> pair as Pair<*, *> } }
            '[' -> items(']') { value() }
            '"' -> text.substring(++at, text.indexOf('"', at)).also { at += it.length + 1 }
            else -> Regex("[-+.eE0-9]+").find(text, at)!!.value.also { at += it.length }.toDouble()
        }
    }

    private fun items(end: Char, one: () -> Any?): List<Any?> {
        val found = mutableListOf<Any?>()
        at++
        while (true) {
            skip()
            if (text[at] == end) break
            found += one()
            skip()
            if (text[at] == ',') at++
        }
        at++
        return found
    }

    private fun skip() {
        while (text[at].isWhitespace()) at++
    }
}
