"""A TorchScript file as a torch module, run in a bound child process."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from udacisense.errors import CheckpointError
from udacisense.remote import RemoteModel
from udacisense.types import Checkpoint


class RemoteNetwork(nn.Module):
    """Answers as the network in the file does, without its code in this process; it has no weights and no layers here."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__()
        self.remote = RemoteModel(checkpoint, torch.get_num_threads()).open()

    def forward(self, x: Tensor) -> Tensor:
        """Logits (N, classes) of images (N, 3, H, W), on the CPU and without gradients.

        Raises:
            CheckpointError: it is traced, scripted or exported, which would write these very answers into the copy.
        """
        if torch._C._is_tracing() or torch.compiler.is_compiling():
            raise CheckpointError(
                f"{self.remote.path.name} is TorchScript and runs in a process of its own, so it cannot be captured here. "
                "Convert it with: python -m udacisense convert"
            )
        return torch.from_numpy(self.remote.predict(x.detach().cpu().numpy())).to(x.device)
