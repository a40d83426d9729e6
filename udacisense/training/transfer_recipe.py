"""Recipe of a transfer: a TOML file that says everything a run depends on."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from udacisense.ranges import SEED

Seed = Annotated[int, Field(ge=SEED.low, le=SEED.high)]


class TransferStage(BaseModel):
    """How the network is trained; counts are of images in each batch."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    name: str
    input_px: int = Field(ge=32, le=320, description="side of the square the network sees")
    epochs: int = Field(ge=1, le=100_000, description="passes over as many images as there are small household ones")
    household: int = Field(48, ge=1, le=65_536)
    rendered: int = Field(12, ge=2, le=65_536)
    other: int = Field(0, ge=0, le=65_536, description="images of other things, which only a teacher speaks of")
    lr: float = Field(gt=0, le=100, description="peak learning rate of the one-cycle schedule")
    head_lr: float = Field(gt=0, le=100, description="that of the last layer")
    weight_decay: float = Field(0.02, ge=0, le=100)
    warmup_share: float = Field(0.15, gt=0, lt=1)
    label_smoothing: float = Field(0.1, ge=0, lt=1)
    min_crop: float = Field(0.6, gt=0, le=1, description="smallest side of a random crop, as a share of the image")
    stretch: float = Field(0.0, ge=0, le=1, description="largest relative change of the ratio of width and height")
    jitter: float = Field(0.3, ge=0, lt=1, description="largest relative change of brightness and contrast")
    tint: float = Field(0.1, ge=0, lt=0.5, description="largest relative change of one colour")
    ema_decay: float = Field(0.998, ge=0, lt=1, description="decay of the averaged weights")
    frozen_blocks: int = Field(0, ge=0, le=100, description="blocks at the beginning, the stem first, that stay as they are")
    freeze_norm: bool = Field(True, description="batch norm keeps the statistics that it began with")
    keep_initial: float = Field(0.0, ge=0, lt=1, description="share of the initial weights in the result")
    blend: float = Field(
        0.0, ge=0, le=1, description="share of the images that are blends of two, which only a teacher speaks of"
    )
    distil: float = Field(0.0, ge=0, le=1, description="share of the teacher's answers in the loss")
    temperature: float = Field(3.0, gt=0, le=1000)
    feature_distil: float = Field(0.0, ge=0, le=1000, description="weight of the distance to the teacher's features")


class TransferRecipe(BaseModel):
    """A whole transfer. `validation_per_class` household images and rendered ones each are held out to choose by."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    name: str
    technique: str
    kind: Literal["transfer"]
    remark: str = ""
    title: str = Field("", description="what the network tells apart")
    licence: str | None = Field(None, description="of its weights")
    architecture: str
    initial: str = Field("imagenet", description='"imagenet", or a checkpoint by id or path')
    teacher: str | None = Field(None, description="a checkpoint by id or path")
    rendered: str = Field("sample", description='"sample" for the sample pack alone, or a folder of train/<class>/ images too')
    seed: Seed = 42
    dropout: float = Field(0.2, ge=0, lt=1)
    validation_per_class: int = Field(50, ge=1, le=100_000)
    stage: tuple[TransferStage, ...] = Field(min_length=1)
