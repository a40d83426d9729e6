def load(path):
    import torch
    from torch.jit.mobile import _load_for_lite_interpreter

    engines = [name for name in ("qnnpack", "x86", "fbgemm") if name in torch.backends.quantized.supported_engines]
    torch.backends.quantized.engine = engines[0] if engines else "none"  # what an int8 file computes with
    module = _load_for_lite_interpreter(str(path))

    def predict(image):
        with torch.inference_mode():
            return module(torch.from_numpy(image)).numpy()[0]

    return predict
