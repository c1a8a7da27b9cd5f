"""PyTorch: the recipe, written as its tutorials write it."""

from __future__ import annotations

import numpy as np
import torch

from benchmarks.peers.child import serve
from benchmarks.peers.children.rows import Ask, Sets
from benchmarks.peers.recipe import BATCH_SHARE, EPOCHS, RATE, UNITS


def recipe(X: np.ndarray, y: np.ndarray, seed: int) -> Ask:
    """Twenty epochs of Adam on the cross-entropy."""
    torch.manual_seed(seed)
    rows, labels, batch = torch.from_numpy(X), torch.from_numpy(y), int(BATCH_SHARE * len(y))
    model = torch.nn.Sequential(
        torch.nn.Linear(X.shape[1], UNITS), torch.nn.ReLU(), torch.nn.Linear(UNITS, int(y.max()) + 1, bias=False)
    )
    optimizer, loss = torch.optim.Adam(model.parameters(), RATE), torch.nn.CrossEntropyLoss()
    for _ in range(EPOCHS):
        for some in torch.randperm(len(y)).split(batch):
            optimizer.zero_grad()
            loss(model(rows[some]), labels[some]).backward()
            optimizer.step()
    return lambda asked: model(torch.from_numpy(asked)).argmax(dim=1).numpy()


if __name__ == "__main__":
    torch.set_num_threads(1)
    serve(Sets({"recipe": recipe}).actions())
