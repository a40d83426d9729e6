"""The ten household classes, once, in the order of the checkpoint's logits.

The order is the course's: CIFAR-100 fine labels 22 39 40 86 87 5 20 25 84 94, by super-class
(household electrical devices, then household furniture).
"""

CLASSES: tuple[str, ...] = (
    "clock",
    "keyboard",
    "lamp",
    "telephone",
    "television",
    "bed",
    "chair",
    "couch",
    "table",
    "wardrobe",
)

CIFAR100_FINE_LABELS: tuple[int, ...] = (22, 39, 40, 86, 87, 5, 20, 25, 84, 94)
"""The fine label that CIFAR-100 gives to each of CLASSES, in the same order."""

IMAGENET_MEAN: tuple[float, float, float] = (0.485, 0.456, 0.406)
IMAGENET_STD: tuple[float, float, float] = (0.229, 0.224, 0.225)
INPUT_PX: tuple[int, int] = (224, 224)
"""Height and width of the network's input in pixels."""
