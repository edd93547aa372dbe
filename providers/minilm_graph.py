"""The built-in model as a graph that multiplies integers.

The published file keeps its matrices as integers of 8 bits, and turns them into floats before it
multiplies. Here the very same matrices are multiplied as they are, by what comes in rounded to 8
bits as well. That takes 40% of the time, and the matrices a quarter of the memory.

What comes in is rounded by its own largest and smallest number, so a text has to be alone in its
run: beside others its vector would depend on them. Without others it needs no padding either.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

LAYERS = 6
HEADS = 12
EPSILON = 1e-12
MEANT = [helper.make_opsetid("", 18), helper.make_opsetid("com.microsoft", 1)]
FORMAT = 10  # of the file, as onnxruntime reads it
LARGEST_OF = 64  # rows and columns
# One node of onnxruntime's own, in place of three to twenty of the standard.
OURS = "com.microsoft"
STANDARD = ""


@dataclass(frozen=True, slots=True)
class Dense:
    """One layer's matrix, what its columns are multiplied by afterwards, and what is added."""

    matrix: NDArray[np.int8]  # (inputs, outputs)
    scales: NDArray[np.float32]  # (outputs,)
    bias: NDArray[np.float32]  # (outputs,)


class Weights:
    """What the published file knows, by the names that the model's authors gave it."""

    def __init__(self, path: Path) -> None:
        graph = onnx.load(path).graph
        self._arrays = {array.name: numpy_helper.to_array(array) for array in graph.initializer}
        # A matrix has no name there, but what is added to its product has.
        product_of = {n.output[0]: n.input[1] for n in graph.node if n.op_type == "MatMul"}
        self._matrices = {
            n.input[1]: product_of[n.input[0]]
            for n in graph.node
            if n.op_type == "Add" and n.input[0] in product_of
        }

    def array(self, name: str) -> NDArray[Any]:
        return self._arrays[f"inner.{name}"]

    def dense(self, *names: str) -> Dense:
        """Return a layer's weights; those of several that read the same beside each other."""
        biases = [f"inner.{name}.bias" for name in names]
        matrices = [self._matrices[bias] for bias in biases]
        return Dense(
            np.concatenate([self._arrays[f"{matrix}_q"] for matrix in matrices], axis=1),
            np.concatenate([self._arrays[f"{matrix}_scale"][0] for matrix in matrices]),
            np.concatenate([self._arrays[bias] for bias in biases]),
        )


@dataclass(slots=True)
class Graph:
    """A graph while it is put together; every value in it goes by a name."""

    weights: Weights
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)

    def constant(self, values: NDArray[Any]) -> str:
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def several(
        self, count: int, kind: str, *inputs: str, domain: str = STANDARD, **how: Any
    ) -> list[str]:
        made = [f"{kind}_{len(self.nodes)}_{number}" for number in range(count)]
        self.nodes.append(helper.make_node(kind, inputs, made, domain=domain, **how))
        return made

    def one(self, kind: str, *inputs: str, domain: str = STANDARD, **how: Any) -> str:
        return self.several(1, kind, *inputs, domain=domain, **how)[0]

    def multiplied(self, value: str, *names: str) -> str:
        """Return a value after the layer of that name, or the layers beside each other."""
        dense = self.weights.dense(*names)
        matrix, scales = self.constant(dense.matrix), self.constant(dense.scales)
        bias = self.constant(dense.bias)
        return self.one("DynamicQuantizeMatMul", value, matrix, scales, "", bias, domain=OURS)

    def normalised(self, value: str, besides: str, name: str) -> str:
        """Return the sum of two values with the mean and the spread that the model has learnt."""
        spread = self.constant(self.weights.array(f"{name}.weight"))
        mean = self.constant(self.weights.array(f"{name}.bias"))
        given = (value, besides, spread, mean)
        return self.one("SkipLayerNormalization", *given, domain=OURS, epsilon=EPSILON)


def graph_of(path: Path) -> bytes:
    """Return the model whose weights are in the published file, as onnxruntime loads it.

    In: `input_ids` (1, tokens), integers. Out: `vector` (1, 384), the mean of what the tokens mean.
    """
    graph = Graph(Weights(path))
    value = _embedded(graph)
    for number in range(LAYERS):
        value = _layer(graph, value, f"encoder.layer.{number}")
    tokens = graph.constant(np.array([1]))
    graph.nodes.append(helper.make_node("ReduceMean", [value, tokens], ["vector"], keepdims=0))
    made = helper.make_graph(
        graph.nodes,
        "all-MiniLM-L6-v2",
        [helper.make_tensor_value_info("input_ids", TensorProto.INT64, [1, "tokens"])],
        [helper.make_tensor_value_info("vector", TensorProto.FLOAT, [1, 384])],
        graph.constants,
    )
    return _serialised(made)


def _embedded(graph: Graph) -> str:
    """Return what each token means by itself and where it stands."""
    array, ids = graph.weights.array, "input_ids"
    words, scales = (
        graph.one("Gather", graph.constant(array(f"embeddings.word_embeddings.weight{part}")), ids)
        for part in ("_q", "_scale")
    )
    words = graph.one("Mul", graph.one("Cast", words, to=TensorProto.FLOAT), scales)
    places = array("embeddings.position_embeddings.weight_q").astype(np.float32)
    places *= array("embeddings.position_embeddings.weight_scale")
    # There is one text, never a pair: each token is of the first kind.
    places += array("embeddings.token_type_embeddings.weight")[0]
    first = graph.constant(np.array([0]))
    length = graph.one("Shape", ids, start=1, end=2)
    stands = graph.one("Slice", graph.constant(places), first, length)
    # Of one text's size, which one of these nodes wants of both that it adds.
    stands = graph.one("Unsqueeze", stands, first)
    return graph.normalised(words, stands, "embeddings.LayerNorm")


def _layer(graph: Graph, value: str, name: str) -> str:
    """Return what tokens mean after they have looked at each other once more."""
    parts = [f"{name}.attention.self.{part}" for part in ("query", "key", "value")]
    together = graph.multiplied(value, *parts)
    looked = graph.several(len(parts), "Split", together, axis=2, num_outputs=len(parts))
    seen = graph.one("MultiHeadAttention", *looked, domain=OURS, num_heads=HEADS)
    seen = graph.multiplied(seen, f"{name}.attention.output.dense")
    value = graph.normalised(seen, value, f"{name}.attention.output.LayerNorm")
    thought = graph.multiplied(value, f"{name}.intermediate.dense")
    thought = graph.multiplied(graph.one("Gelu", thought, domain=OURS), f"{name}.output.dense")
    return graph.normalised(thought, value, f"{name}.output.LayerNorm")


def largest_product() -> bytes:
    """Return a graph that multiplies a square of numbers by one of the largest there are."""
    square = [LARGEST_OF, LARGEST_OF]
    most = numpy_helper.from_array(np.full(square, 127, dtype=np.int8), "most")
    made = helper.make_graph(
        [helper.make_node("MatMulInteger", ["numbers", "most"], ["product"])],
        "largest product",
        [helper.make_tensor_value_info("numbers", TensorProto.UINT8, square)],
        [helper.make_tensor_value_info("product", TensorProto.INT32, square)],
        [most],
    )
    return _serialised(made)


def _serialised(graph: onnx.GraphProto) -> bytes:
    model = helper.make_model(graph, opset_imports=MEANT, ir_version=FORMAT)
    return bytes(model.SerializeToString())
