"""Targets of a batch, and the loss made of them: labels, a teacher's logits, a teacher's features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from udacisense.training.recipe import TrainingStage


@dataclass(frozen=True, slots=True)
class TrainingImages:
    """uint8 images (N, 3, h, w) with integer labels, on the device that trains.

    Args:
        teacher: a teacher's logits (N, classes) for each image.
        features: a teacher's standardised features (N, F) of each image.
    """

    pixels: Tensor
    labels: Tensor
    teacher: Tensor | None = None
    features: Tensor | None = None

    @classmethod
    def of(cls, images: NDArray[np.uint8], labels: NDArray[np.int64], device: torch.device) -> TrainingImages:
        """From arrays (N, h, w, 3) and (N)."""
        pixels = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
        return cls(pixels.to(device), torch.from_numpy(labels.astype(np.int64)).to(device))

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, slots=True)
class TrainingBatch:
    """One batch: the network's input, and its targets. With a `share` below 1 each image holds a second one too."""

    images: Tensor
    labels: Tensor
    teacher: Tensor | None  # softened answers, probabilities
    features: Tensor | None
    others: Tensor  # labels of the second images
    share: float

    @classmethod
    def of(cls, images: Tensor, data: TrainingImages, index: Tensor, share: float, stage: TrainingStage) -> TrainingBatch:
        """Targets of mixed images (see `mix`): the labels of both, and the teacher's word mixed as the images are."""
        teacher = None
        if data.teacher is not None and stage.distil:
            teacher = functional.softmax(data.teacher[index] / stage.temperature, dim=1)
        features = data.features[index].float() if data.features is not None and stage.feature_distil else None
        labels = data.labels[index]
        return cls(images, labels, _mixed(teacher, share), _mixed(features, share), labels.flip(0), share)

    def __len__(self) -> int:
        return len(self.labels)

    def pieces(self, count: int) -> Sequence[TrainingBatch]:
        """The same targets in `count` parts, where the whole does not fit into memory."""
        if count == 1:
            return (self,)
        return [part for index in torch.tensor_split(torch.arange(len(self)), count) if len(part := self._part(index))]

    def _part(self, index: Tensor) -> TrainingBatch:
        first, last = int(index[0]), int(index[-1]) + 1
        teacher = None if self.teacher is None else self.teacher[first:last]
        features = None if self.features is None else self.features[first:last]
        others = self.others[first:last]
        return TrainingBatch(self.images[first:last], self.labels[first:last], teacher, features, others, self.share)


def _mixed(values: Tensor | None, share: float) -> Tensor | None:
    return values if values is None or share == 1 else torch.lerp(values.flip(0), values, share)


def loss_of(net: Any, guide: nn.Linear | None, targets: TrainingBatch, stage: TrainingStage) -> Tensor:
    """Cross-entropy with the labels, with the teacher's word where the stage asks for it.

    `distil` mixes in the divergence from the teacher's softened answers (Hinton et al., 2015); `feature_distil` adds the
    cosine distance between the teacher's features and a linear reading (`guide`) of the network's own pooled features
    (Romero et al., "FitNets", ICLR 2015).
    """
    if guide is None or targets.features is None:
        return _answers_loss(net(targets.images), targets, stage)
    pooled = torch.flatten(net.avgpool(net.features(targets.images)), 1)
    distance = 1 - functional.cosine_similarity(guide(pooled), targets.features, dim=1).mean()
    return _answers_loss(net.classifier(pooled), targets, stage) + stage.feature_distil * distance


def _answers_loss(logits: Tensor, targets: TrainingBatch, stage: TrainingStage) -> Tensor:
    smooth = stage.label_smoothing
    loss = functional.cross_entropy(logits, targets.labels, label_smoothing=smooth)
    if targets.share < 1:
        other = functional.cross_entropy(logits, targets.others, label_smoothing=smooth)
        loss = targets.share * loss + (1 - targets.share) * other
    if targets.teacher is None:
        return loss
    t = stage.temperature
    student_log_probs = functional.log_softmax(logits / t, dim=1)
    divergence = functional.kl_div(student_log_probs, targets.teacher, reduction="batchmean") * t * t
    return (1 - stage.distil) * loss + stage.distil * divergence
