package ai.onnxruntime;

import java.nio.FloatBuffer;

public class OnnxTensor extends OnnxTensorLike {
  final Object value;

  OnnxTensor(Object value) {
    this.value = value;
  }

  public static OnnxTensor createTensor(OrtEnvironment env, FloatBuffer data, long[] shape) throws OrtException {
    float[] values = new float[data.remaining()];
    data.get(values);
    return new OnnxTensor(values);
  }

  @Override
  public Object getValue() {
    return value;
  }

  @Override
  public void close() {}
}
