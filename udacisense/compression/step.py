"""One step of compression: which technique, with which settings, and the fine-tuning that follows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from udacisense.training.recipe import TrainingStage

Share = Annotated[float, Field(ge=0, lt=1)]


class _Step(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    name: str = Field(min_length=1, description="title of the step, as tables and pages show it")
    finetune: TrainingStage | None = Field(
        None, description="training after (or while) the network is compressed, on household images; its `distil` and "
        "`temperature` mix in the answers of the pipeline's starting network"
    )  # fmt: skip

    @model_validator(mode="before")
    @classmethod
    def _named_after_its_step(cls, given: Any) -> Any:
        """A fine-tuning stage needs no name of its own, and there is only one set of images it may see."""
        if isinstance(given, Mapping) and isinstance(given.get("finetune"), Mapping):
            return {**given, "finetune": {"name": given.get("name"), "data": "household", **given["finetune"]}}
        return given

    @model_validator(mode="after")
    def _on_household_images(self) -> Self:
        if self.finetune is not None and self.finetune.data != "household":
            raise ValueError("finetune sees the household images; leave `data` out")
        return self


class _TrainedStep(_Step):
    """Step that works only with training."""

    finetune: TrainingStage = Field(
        description="the training; its `distil` and `temperature` mix in the starting network's answers"
    )


class PruneWeights(_Step):
    """Set the smallest weights of the whole network to zero; the file keeps its size, and no runtime here gets faster."""

    technique: Literal["prune-weights"]
    sparsity: float = Field(gt=0, lt=1, description="share of the weights of convolutions and linear layers that become zero")
    schedule: Literal["one-shot", "gradual"] = Field(
        "one-shot", description="all at once, or in rounds while it fine-tunes, by the cubic schedule of Zhu and Gupta, 2017"
    )
    rounds: int = Field(10, ge=2, le=10_000, description="gradual: how often weights are removed")
    ramp_share: float = Field(0.6, gt=0, le=1, description="gradual: share of the fine-tuning in which weights are removed")

    @model_validator(mode="after")
    def _gradual_while_training(self) -> Self:
        if self.schedule == "gradual" and self.finetune is None:
            raise ValueError("a gradual schedule removes weights while it fine-tunes: add finetune, or use one-shot")
        return self


class PruneChannels(_Step):
    """Really remove channels, so that file and work get smaller. Each share is of the channels that the network has now."""

    technique: Literal["prune-channels"]
    hidden: Share = Field(0.0, description="share of the classifier's hidden layer (1024 in the baseline) to remove")
    last: Share = Field(0.0, description="share of the last convolution (576 in the baseline) to remove")
    expansion: Share = Field(0.0, description="share of the blocks' inner, expanded widths to remove")
    squeeze: Share = Field(0.0, description="share of the squeeze-and-excitation layers' inner widths to remove")
    trunk: Share = Field(0.0, description="share of the widths that blocks hand on to the next block to remove")
    importance: Literal["magnitude", "taylor"] = Field(
        "taylor", description="what a channel is worth: the size of its weights, or the change of the loss without it"
    )
    across_blocks: bool = Field(
        True, description="expansion: the least important channels of all blocks go; or each block loses that share"
    )
    multiple: int = Field(8, ge=1, le=64, description="widths left are multiples of this: kernels work on 4 to 16 at a time")
    images: int = Field(1000, ge=2, le=1_000_000, description="taylor: training images that the loss is taken on")
    input_px: int = Field(224, ge=32, le=320, description="taylor: side of the square that the network sees meanwhile")

    @model_validator(mode="after")
    def _removes_something(self) -> Self:
        if not any((self.hidden, self.last, self.expansion, self.squeeze, self.trunk)):
            raise ValueError("nothing to remove: give at least one of hidden, last, expansion, squeeze and trunk")
        return self


class Distil(_TrainedStep):
    """Train a slimmer student by the labels and by the answers of the pipeline's starting network."""

    technique: Literal["distil"]
    width: float = Field(1.0, gt=0, le=1, description="share of the blocks' widths that the student has")
    last: int = Field(576, ge=8, le=65_536, description="channels of the student's last convolution")
    hidden: int = Field(1024, ge=8, le=65_536, description="width of the student's hidden layer")
    initial: Literal["largest-channels", "random"] = Field(
        "largest-channels", description="the student begins with the network's largest channels, or knows nothing"
    )
    multiple: int = Field(8, ge=1, le=64, description="widths are multiples of this")

    @model_validator(mode="after")
    def _taught(self) -> Self:
        if not self.finetune.distil:
            raise ValueError("distil trains by a teacher: set finetune.distil above 0")
        return self


class QuantiseAware(_TrainedStep):
    """Train with the rounding that the int8 ExecuTorch file will do; the weights stay float and fit the same network."""

    technique: Literal["quantise-aware"]
    calibration_images: int = Field(
        100, ge=1, le=1_000_000, description="training images that set the first ranges of the activations"
    )
    fix_batch_norm_after: float = Field(
        0.5, ge=0, le=1, description="share of the training after which batch norm stands still"
    )
    fix_ranges_after: float = Field(0.7, ge=0, le=1, description="share of the training after which value ranges stand still")


class QuantiseDynamic(_Step):
    """Linear layers in int8, activations rounded as they come; for comparison. The result is a TorchScript file."""

    technique: Literal["quantise-dynamic"]
    finetune: None = None


class FoldBatchNorm(_Step):
    """Fold every batch norm into the convolution before it: the same answers from fewer values."""

    technique: Literal["fold-batch-norm"]
    finetune: None = None


class FineTune(_TrainedStep):
    """The control: the same training without compression, so that its gain is not credited to a technique."""

    technique: Literal["finetune"]


Step = Annotated[
    PruneWeights | PruneChannels | Distil | QuantiseAware | QuantiseDynamic | FoldBatchNorm | FineTune,
    Field(discriminator="technique"),
]
