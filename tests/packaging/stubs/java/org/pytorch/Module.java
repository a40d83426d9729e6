package org.pytorch;

import udacisense.stubs.Answers;

public class Module {
  public static Module load(String modelPath) {
    if (!new java.io.File(modelPath).isFile()) throw new IllegalArgumentException(modelPath);
    return new Module();
  }

  public IValue forward(IValue... inputs) {
    return IValue.from(Tensor.answer(Answers.of.apply(inputs[0].toTensor().getDataAsFloatArray())));
  }
}
