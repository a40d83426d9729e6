package udacisense.stubs;

import java.util.function.Function;

/** What the runtimes' stand-ins answer: the test says it. */
public final class Answers {
  public static Function<float[], float[]> of = input -> new float[10];

  private Answers() {}
}
