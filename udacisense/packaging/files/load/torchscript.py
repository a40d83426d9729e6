def load(path):
    import torch

    module = torch.jit.load(str(path)).eval()
    torch.set_num_threads(1)

    def predict(image):
        with torch.inference_mode():
            return module(torch.from_numpy(image)).numpy()[0]

    return predict
