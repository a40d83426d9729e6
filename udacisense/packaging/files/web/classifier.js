// npm install onnxruntime-web@{{onnxruntime}}
import * as ort from "onnxruntime-web";
import { HEIGHT, LABELS, WIDTH, decode, input } from "./picture.js";

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

  /** null if every golden picture gets its logits on this device, else what is wrong. */
  async selfTest(folder = "golden/") {
    const golden = await (await fetch(`${folder}golden.json`)).json();
    for (const picture of golden.pictures) {
      const blob = await (await fetch(folder + picture.file)).blob();
      const logits = await this.predict(input(await decode(blob)));
      if (logits.length !== picture.logits.length) return `${picture.file}: ${logits.length} logits`;
      const gap = Math.max(...picture.logits.map((expected, i) => Math.abs(expected - logits[i])));
      if (!(gap <= golden.tolerance)) return `${picture.file}: the logits differ by ${gap}, allowed are ${golden.tolerance}`;
    }
    return null;
  }
}
