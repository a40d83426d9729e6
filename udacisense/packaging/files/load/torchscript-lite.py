def load(path):
    import torch
    from torch.jit.mobile import _load_for_lite_interpreter

    module = _load_for_lite_interpreter(str(path))

    def predict(image):
        with torch.inference_mode():
            return module(torch.from_numpy(image)).numpy()[0]

    return predict
