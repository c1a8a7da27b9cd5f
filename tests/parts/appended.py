"""The operator that ends an SSD, appended to a model that lacks it: what our own decoding is compared with."""

from __future__ import annotations

import numpy as np

from edge_tl.tflite.schema import load_schema, opened, packed


def with_operator(data: bytes, anchors: np.ndarray, overlap: float, most: int = 10) -> bytes:
    """A model with outputs offsets and logits, as one that ends with LOGISTIC and TFLite_Detection_PostProcess."""
    from flatbuffers import flexbuffers

    schema = load_schema()
    with opened(data, "the model") as model:
        graph = model.subgraphs[0]
        offsets, logits = graph.outputs
        classes = int(graph.tensors[logits].shape[2])

        def tensor(name: str, shape: tuple[int, ...], values: np.ndarray | None = None) -> int:
            made = schema.TensorT()
            made.name, made.shape, made.type, made.buffer = name, list(shape), 0, 0
            if values is not None:
                buffer = schema.BufferT()
                buffer.data = np.frombuffer(values.astype(np.float32).tobytes(), np.uint8)
                model.buffers.append(buffer)
                made.buffer = len(model.buffers) - 1
            graph.tensors.append(made)
            return len(graph.tensors) - 1

        def operator(builtin: int, inputs: list[int], outputs: list[int]) -> tuple[object, object]:
            code, made = schema.OperatorCodeT(), schema.OperatorT()
            code.builtinCode, code.deprecatedBuiltinCode, code.version = builtin, builtin, 1
            made.inputs, made.outputs, made.opcodeIndex = inputs, outputs, len(model.operatorCodes)
            model.operatorCodes.append(code)
            graph.operators.append(made)
            return code, made

        scores = tensor("scores", tuple(map(int, graph.tensors[logits].shape)))
        operator(schema.BuiltinOperator.LOGISTIC, [logits], [scores])
        fixed = tensor("anchors", anchors.shape, anchors)
        made = [
            tensor(name, shape) for name, shape in zip("abcd", ((1, most, 4), (1, most), (1, most), (1,)), strict=True)
        ]
        settings = flexbuffers.Builder()
        with settings.Map():
            for name, value in (
                ("max_detections", most),
                ("max_classes_per_detection", 1),
                ("num_classes", classes - 1),
            ):
                settings.Int(name, value)
            for name, real in (("nms_score_threshold", 0.0), ("nms_iou_threshold", overlap)):
                settings.Float(name, real)
            for name, real in (("y_scale", 10.0), ("x_scale", 10.0), ("h_scale", 5.0), ("w_scale", 5.0)):
                settings.Float(name, real)
        code, ending = operator(schema.BuiltinOperator.CUSTOM, [offsets, scores, fixed], made)
        code.customCode = "TFLite_Detection_PostProcess"  # type: ignore[attr-defined]
        ending.customOptions = np.frombuffer(bytes(settings.Finish()), np.uint8)  # type: ignore[attr-defined]
        graph.outputs, model.signatureDefs = made, None
        return packed(model, 2 * len(data) + 100_000)
