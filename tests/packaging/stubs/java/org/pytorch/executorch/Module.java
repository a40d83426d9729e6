package org.pytorch.executorch;

import udacisense.stubs.Answers;

public class Module {
  public static Module load(String modelPath) {
    if (!new java.io.File(modelPath).isFile()) throw new IllegalArgumentException(modelPath);
    return new Module();
  }

  public EValue[] forward(EValue... inputs) {
    return new EValue[] {EValue.from(Tensor.answer(Answers.of.apply(inputs[0].toTensor().getDataAsFloatArray())))};
  }
}
