"""Check this package with nothing but NumPy and {{runtime_package}}: python selftest.py

Loads {{file}} from this folder, runs the golden images, and compares the logits with the expected ones. Ends with 0 if every
answer is right, 1 if one is wrong.
"""

import hashlib
import json
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
MODEL = HERE / "{{file}}"
MEAN = np.array([{{mean}}], np.float64)
STD = np.array([{{std}}], np.float64)


def preprocess(image):
    """The model's input (1, 3, {{height}}, {{width}}) of an image (H, W, 3) uint8 that has the model's size already."""
    values = (image / 255.0 - MEAN) / STD
    return np.ascontiguousarray(values.transpose(2, 0, 1)[None], np.float32)


{{load}}


def main():
    with np.load(HERE / "golden" / "golden.npz") as held:
        golden = dict(held)
    told = json.loads((HERE / "golden" / "golden.json").read_text(encoding="utf-8"))
    if hashlib.sha256(MODEL.read_bytes()).hexdigest() != told["model_sha256"]:
        print("WRONG: the model file is not the one that this package was made with")
        return 1
    images = [preprocess(image) for image in golden["pictures"]]
    if not np.allclose(np.concatenate(images), golden["images"], atol=1e-5):
        print("WRONG: the images are not prepared as in training")
        return 1
    predict = load(MODEL)
    logits = np.stack([predict(image) for image in images])
    gap = float(np.abs(logits - golden["logits"]).max())
    answers = int((logits.argmax(1) == golden["logits"].argmax(1)).sum())
    same = int((logits.argmax(1) == golden["checkpoint_logits"].argmax(1)).sum())
    right = gap <= told["tolerance"]
    print(f"{'RIGHT' if right else 'WRONG'}: {answers} of {len(logits)} answers equal, logits differ by at most {gap:.3g} "
          f"(allowed {told['tolerance']:.3g}); {same} answers are the checkpoint's")
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
