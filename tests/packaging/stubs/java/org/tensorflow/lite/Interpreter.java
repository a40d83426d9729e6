package org.tensorflow.lite;

import java.nio.ByteBuffer;
import udacisense.stubs.Answers;

public final class Interpreter implements AutoCloseable {
  public static class Options {
    public Options setNumThreads(int numThreads) {
      return this;
    }
  }

  public Interpreter(ByteBuffer byteBuffer, Options options) {
    if (!byteBuffer.isDirect() || byteBuffer.position() != 0) throw new IllegalArgumentException("a direct buffer from its start");
  }

  public void run(Object input, Object output) {
    ByteBuffer given = (ByteBuffer) input;
    float[] values = new float[given.remaining() / 4];
    given.asFloatBuffer().get(values);
    ((float[][]) output)[0] = Answers.of.apply(values);
  }

  @Override
  public void close() {}
}
