from pathlib import Path

import torch


def save_checkpoint(network, out, **k):
    import json

    out = Path(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    torch.save(network.state_dict(), out)
    Path(str(out) + ".raw.json").write_text(json.dumps(k))
