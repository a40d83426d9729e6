package org.pytorch;

public class LiteModuleLoader {
  public static Module load(String modelPath) {
    return Module.load(modelPath);
  }
}
