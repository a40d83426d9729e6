def load(path):
    import torch

    engines = [name for name in ("qnnpack", "x86", "fbgemm") if name in torch.backends.quantized.supported_engines]
    torch.backends.quantized.engine = engines[0] if engines else "none"  # what an int8 file computes with
    module = torch.jit.load(str(path)).eval()
    torch.set_num_threads(1)

    def predict(image):
        with torch.inference_mode():
            return module(torch.from_numpy(image)).numpy()[0]

    return predict
