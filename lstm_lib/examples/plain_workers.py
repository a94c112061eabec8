"""Data parallelism by hand: what `train.run` does under torchrun, in its shortest form.

torchrun --nproc-per-node 2 -m lstm_lib.examples.plain_workers
"""

import json

import torch
import torch.distributed as dist
from torch import nn

from lstm_lib.examples.train_adding import B, batch, new_model

UPDATES = 50


def train_together() -> list[float]:
    """The loss of the whole batch in each update; each worker goes through its own part."""
    model, losses = new_model(), []
    adam = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0)
    rank, N = dist.get_rank(), dist.get_world_size()
    mine = slice(rank * B // N, (rank + 1) * B // N)
    for update in range(1, UPDATES + 1):
        x, y = batch(update)  # all workers make the same
        loss = nn.functional.mse_loss(model(x[:, mine]), y[mine]) * (mine.stop - mine.start) / B
        adam.zero_grad()
        loss.backward()
        whole = loss.detach()
        for each in (whole, *(p.grad for p in model.parameters())):
            dist.all_reduce(each)  # w_r L_r and its gradient become their sums over the workers
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        adam.step()
        losses.append(whole.item())
    return losses


def main() -> None:
    """Join the others, train, leave; the first worker says how it ended."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo")
    losses = train_together()
    if dist.get_rank() == 0:
        print(json.dumps(losses))
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
