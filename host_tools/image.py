"""Base models of pictures: build the Keras graph, give it its weights, cut it at a named layer."""

from __future__ import annotations

import difflib
import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from edge_tl.errors import ConfigError, ModelError, counted
from edge_tl.tflite.efficientnet import holds_lite0
from edge_tl.tflite.manifest import Scaling
from edge_tl.tflite.weights import Weights
from host_tools.mobilenet_v2_torch import mobilenet_v2, preprocess
from host_tools.tf import keras, silence, tensorflow
from host_tools.weights import assign

TORCHVISION_LAYER = "out_relu"
"""The last layer of torchvision's MobileNetV2 before its classifier."""
LARGEST_PX = 2048
"""Far beyond what any of these networks was trained on; a typing error beyond it would only fill the memory."""
WIDEST = 4.0
"""Of alpha, likewise."""


@dataclass(frozen=True)
class ImageRecipe:
    """What is built, before any weights: enough to build it again."""

    architecture: str
    """`mobilenet_v1`, `mobilenet_v2`, `mobilenet_v3_small`, `mobilenet_v3_large`, or a name of keras.applications."""
    size_px: int
    """Height and width of the input."""
    alpha: float | None = None
    """Width multiplier; None: what the architecture takes by default, if it has one."""
    layer: str | None = None
    """Where to cut; None: the last layer before the classifier."""


@dataclass(frozen=True)
class BaseModel:
    """A Keras model cut at a layer, and what its pictures need on their way in."""

    model: Any
    """(1, size, size, 3) float32 → (1, *output_shape) float32."""
    recipe: ImageRecipe
    """With architecture, alpha and layer as they turned out."""
    preprocess: Callable[[np.ndarray], np.ndarray]
    """Pixels 0..255 (..., 3) RGB → what the model takes, float64: the base model's own function."""
    scaling: Scaling
    """The same as one factor and offset per channel."""
    colour_order: str
    weights: Weights

    @property
    def name(self) -> str:
        """E.g. `mobilenet_v1-0.25-224-conv_pw_13_relu`."""
        parts = (self.recipe.architecture, self.recipe.alpha, self.recipe.size_px, self.recipe.layer)
        return "-".join(str(part).replace("/", "_") for part in parts if part is not None)

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Without the batch axis."""
        return tuple(self.model.output.shape[1:])

    @property
    def parameters(self) -> int:
        """Numbers in the graph before the cut, those of the batch norms included."""
        return int(self.model.count_params())

    def embed(self, picture: np.ndarray) -> np.ndarray:
        """The Keras model's answer to one picture uint8 (size, size, 3) RGB: float32 (embedding_dim,)."""
        return np.asarray(self.model(self.input_of(picture), training=False), np.float32).ravel()

    def embed_all(self, pictures: list[np.ndarray]) -> np.ndarray:
        """The same of many pictures, compiled first: float32 (N, embedding_dim)."""
        with silence():
            run = tensorflow().function(self.model)
            return np.stack([np.asarray(run(self.input_of(one)), np.float32).ravel() for one in pictures])

    def input_of(self, picture: np.ndarray) -> np.ndarray:
        """One picture uint8 (size, size, 3) RGB as the Keras model takes it: float32 (1, size, size, 3)."""
        return self.preprocess(picture)[None].astype(np.float32)


def build(recipe: ImageRecipe, weights: Weights) -> BaseModel:
    """Build, load and cut.

    ConfigError (one line) for an architecture, alpha, size or layer that does not exist (with the nearest names),
    ModelError where the weights do not fit, MissingDependency without TensorFlow.
    """
    if not 32 <= recipe.size_px <= LARGEST_PX:
        raise ConfigError(f"--size {recipe.size_px}: is out of range; 32 to {LARGEST_PX} pixels are wanted")
    if recipe.alpha is not None and not 0 < recipe.alpha <= WIDEST:
        raise ConfigError(f"--alpha {recipe.alpha}: is out of range; more than 0 and at most {WIDEST} is wanted")
    prepare: Callable[[np.ndarray], np.ndarray] = preprocess
    if weights.kind == "torchvision" and holds_lite0(weights.state):
        raise ConfigError(
            f"{weights.file}: holds EfficientNet-Lite0, which is written without TensorFlow: `edge-tl model build "
            "--architecture efficientnet_lite0` takes it, here too"
        )
    if weights.kind == "torchvision":
        if canonical(recipe.architecture) != "mobilenet_v2" or recipe.alpha not in (None, 1.0):
            raise ConfigError(
                f"{weights.file}: holds torchvision's mobilenet_v2 with alpha 1.0, not {recipe.architecture} "
                f"{recipe.alpha or ''}; choose --architecture mobilenet_v2 or other weights"
            )
        alpha: float | None = 1.0
        base = mobilenet_v2(recipe.size_px, weights.state, weights.file)
        layer = recipe.layer or TORCHVISION_LAYER
    else:
        make, prepare = _application(recipe.architecture), preprocessing(recipe.architecture)
        alpha = _width(make, recipe)
        base = _keras_model(make, recipe, alpha, include_top=False)
        layer = recipe.layer or base.layers[-1].name
        top = layer not in _names(base)
        if top:
            base = _keras_model(make, recipe, alpha, include_top=True)
        _check_layer(base, layer)  # before the weights: of those without a classifier nothing fits a whole model
        if weights.kind == "imagenet":
            base = _keras_model(make, recipe, alpha, include_top=top, imagenet=True)
        elif weights.kind == "keras":
            assign(base, weights, _described(recipe, alpha))
    model = _cut(base, layer)
    scaling, colour_order = scaling_of(prepare)
    recipe = ImageRecipe(canonical(recipe.architecture), recipe.size_px, alpha, layer)
    if not weights.licence:
        google = recipe.architecture.startswith("mobilenet")
        weights = replace(weights, licence="Apache-2.0" if google else "see keras.io/api/applications")
    return BaseModel(model, recipe, prepare, scaling, colour_order, weights)


def canonical(architecture: str) -> str:
    """`MobileNet` and `mobilenet` → `mobilenet_v1`, `MobileNetV2` → `mobilenet_v2`; other names in lower case."""
    plain = architecture.lower().replace("_", "")
    known = {
        "mobilenet": "mobilenet_v1",
        "mobilenetv1": "mobilenet_v1",
        "mobilenetv2": "mobilenet_v2",
        "mobilenetv3small": "mobilenet_v3_small",
        "mobilenetv3large": "mobilenet_v3_large",
    }
    return known.get(plain, architecture.lower())


def preprocessing(architecture: str) -> Callable[[np.ndarray], np.ndarray]:
    """The preprocess_input of an architecture of Keras: pixels 0..255 (..., 3) RGB → float64, its colour order."""
    own = sys.modules[_application(architecture).__module__].preprocess_input

    def prepare(pictures: np.ndarray) -> np.ndarray:
        return np.asarray(own(np.array(pictures, np.float64)))  # a copy: some of them work in place

    return prepare


def _application(architecture: str) -> Callable[..., Any]:
    """The function of keras.applications; ConfigError with the nearest names where there is none."""
    applications = keras().applications
    names = {name.lower(): name for name in dir(applications) if name[0].isupper()}
    plain = canonical(architecture).replace("_", "").replace("mobilenetv1", "mobilenet")
    if plain not in names:
        near = difflib.get_close_matches(plain, names, n=4, cutoff=0.4) or ["mobilenetv2"]
        raise ConfigError(
            f"--architecture {architecture}: is not in keras.applications; the nearest are "
            + ", ".join(canonical(name) for name in near)
        )
    make: Callable[..., Any] = getattr(applications, names[plain])
    return make


def _width(make: Callable[..., Any], recipe: ImageRecipe) -> float | None:
    """The alpha that an architecture gets; ConfigError where one is given that it does not have."""
    default = inspect.signature(make).parameters.get("alpha")
    if default is None and recipe.alpha is not None:
        raise ConfigError(f"--alpha {recipe.alpha}: {recipe.architecture} has no width multiplier; leave it out")
    return None if default is None else float(recipe.alpha if recipe.alpha is not None else default.default)


def _described(recipe: ImageRecipe, alpha: float | None) -> str:
    """What an error calls a model."""
    return canonical(recipe.architecture) + ("" if alpha is None else f" alpha {alpha}")


def _keras_model(
    make: Callable[..., Any], recipe: ImageRecipe, alpha: float | None, *, include_top: bool, imagenet: bool = False
) -> Any:
    """One of keras.applications, with the weights that Keras downloads or with random ones, always the same."""
    arguments: dict[str, Any] = {"include_top": include_top, "input_shape": (recipe.size_px, recipe.size_px, 3)}
    if alpha is not None:
        arguments["alpha"] = alpha
    # Keras numbers layers without a name (activation_17) on and on; a name must mean the same in every process.
    keras().utils.clear_session()
    keras().utils.set_random_seed(0)  # of the weights `none`
    try:
        with silence():
            return make(weights="imagenet" if imagenet else None, **arguments)
    except Exception as error:  # a ValueError for what Keras does not offer, and whatever its download raises
        reason = " ".join(str(error).split())[:200]
        what = f"{_described(recipe, alpha)} at {counted(recipe.size_px, 'pixel')}"
        raise ConfigError(f"{what} is not available from Keras: {reason}") from error


def _names(model: Any) -> list[str]:
    return [one.name for one in model.layers]


def _check_layer(model: Any, layer: str) -> None:
    """ConfigError with the nearest names for a layer that is not there."""
    names = _names(model)
    if layer not in names:
        near = difflib.get_close_matches(layer, names, n=5, cutoff=0.3) or names[-5:]
        raise ConfigError(f"--layer {layer}: there is no such layer; the nearest are {', '.join(near)}")


def _cut(model: Any, layer: str) -> Any:
    """The model from its input to the named layer."""
    _check_layer(model, layer)
    output = model.get_layer(layer).output
    if isinstance(output, (list, tuple)) or len(output.shape) < 2 or None in output.shape[1:]:
        raise ConfigError(f"--layer {layer}: its output {output.shape} is no embedding; choose another layer")
    # The names are fixed because they go into the .tflite file, whose bytes must not depend on what was built before.
    cut = keras().Model(model.inputs, output, name="base")
    picture = keras().Input(cut.input_shape[1:], batch_size=1, name="picture")
    return keras().Model(picture, cut(picture), name="cut")


def scaling_of(prepare: Callable[[np.ndarray], np.ndarray]) -> tuple[Scaling, str]:
    """What a preprocessing function does to pixels, found by asking it: factor and offset per channel, colour order.

    ModelError where it is no such thing.
    """
    zero = prepare(np.zeros((1, 1, 3), np.uint8))[0, 0]
    red = prepare(np.array([[[255, 0, 0]]], np.uint8))[0, 0]
    full = prepare(np.full((1, 1, 3), 255, np.uint8))[0, 0]
    moved = np.flatnonzero(red != zero).tolist()
    if moved not in ([0], [2]):
        raise ModelError(f"the model's preprocessing moves channels {moved} for a red pixel; one was expected")
    scale = (full - zero) / 255
    middle = prepare(np.full((1, 1, 3), 100, np.uint8))[0, 0]
    if not np.allclose(middle, 100 * scale + zero, rtol=1e-9, atol=1e-9):
        raise ModelError("the model's preprocessing is not a factor and an offset per channel")
    first, second, third = scale.tolist()
    low, mid, high = zero.tolist()
    return Scaling((first, second, third), (low, mid, high)), "rgb" if moved == [0] else "bgr"
