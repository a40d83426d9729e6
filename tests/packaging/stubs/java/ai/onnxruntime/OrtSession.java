package ai.onnxruntime;

import java.util.Iterator;
import java.util.Map;
import java.util.Set;
import udacisense.stubs.Answers;

public class OrtSession implements AutoCloseable {
  public static class SessionOptions implements AutoCloseable {
    public void setIntraOpNumThreads(int numThreads) throws OrtException {}

    @Override
    public void close() {}
  }

  public static class Result implements AutoCloseable, Iterable<Map.Entry<String, OnnxValue>> {
    private final OnnxValue first;

    Result(OnnxValue first) {
      this.first = first;
    }

    public OnnxValue get(int index) {
      return first;
    }

    @Override
    public Iterator<Map.Entry<String, OnnxValue>> iterator() {
      return Map.of("logits", first).entrySet().iterator();
    }

    @Override
    public void close() {}
  }

  public Set<String> getInputNames() {
    return Set.of("input");
  }

  public Result run(Map<String, ? extends OnnxTensorLike> inputs) throws OrtException {
    float[] given = (float[]) ((OnnxTensor) inputs.get("input")).value;
    return new Result(new OnnxTensor(new float[][] {Answers.of.apply(given)}));
  }

  @Override
  public void close() {}
}
