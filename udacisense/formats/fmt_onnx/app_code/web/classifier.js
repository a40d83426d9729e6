// npm install, then serve the folder above: python -m http.server
import * as ort from "onnxruntime-web/wasm";
import { HEIGHT, LABELS, WIDTH, decode, input, pixels } from "./picture.js";

ort.env.wasm.numThreads = 1; // more need cross-origin isolation, and hang without a word where it is missing

export class Classifier {
  static async load(url = "{{file}}") {
    const session = await ort.InferenceSession.create(url, { executionProviders: ["wasm"] });
    return new Classifier(session);
  }

  constructor(session) {
    this.session = session;
  }

  /** Logits of a Float32Array made by input() of picture.js. */
  async predict(values) {
    const feeds = { [this.session.inputNames[0]]: new ort.Tensor("float32", values, [1, 3, HEIGHT, WIDTH]) };
    const results = await this.session.run(feeds);
    return results[this.session.outputNames[0]].data;
  }

  async classify(imageData) {
    const logits = Array.from(await this.predict(input(imageData)));
    return LABELS[logits.indexOf(Math.max(...logits))];
  }

  /** null if every golden image gets its logits on this device, else what is wrong. */
  async selfTest(folder = "golden/") {
    const golden = await (await fetch(`${folder}golden.json`)).json();
    for (const picture of golden.pictures) {
      const blob = await (await fetch(folder + picture.file)).blob();
      const logits = await this.predict(input(await decode(blob)));
      if (logits.length !== picture.logits.length) return `${picture.file}: ${logits.length} logits`;
      const gap = Math.max(...picture.logits.map((expected, i) => Math.abs(expected - logits[i])));
      if (!(gap <= golden.tolerance)) return `${picture.file}: the logits differ by ${gap}, allowed are ${golden.tolerance}`;
    }
    for (const { file, expected } of golden.resize) {
      const [made, wanted] = await Promise.all([file, expected].map(async (name) => {
        return pixels(await decode(await (await fetch(folder + name)).blob()));
      }));
      const gap = made.reduce((most, value, i) => Math.max(most, Math.abs(value - wanted[i])), 0);
      if (!(gap <= 1)) return `${file}: resized pixels differ by ${gap} levels, allowed is 1`;
    }
    return null;
  }
}
