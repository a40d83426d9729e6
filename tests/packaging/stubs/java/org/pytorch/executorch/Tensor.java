package org.pytorch.executorch;

public final class Tensor {
  private final float[] data;

  private Tensor(float[] data) {
    this.data = data;
  }

  public static Tensor fromBlob(float[] data, long[] shape) {
    if (data.length != shape[0] * shape[1] * shape[2] * shape[3]) throw new IllegalArgumentException("shape");
    return new Tensor(data);
  }

  static Tensor answer(float[] logits) {
    return new Tensor(logits);
  }

  public float[] getDataAsFloatArray() {
    return data;
  }
}
