"""A residual network in PyTorch with OpenCV's warps, trained on the galaxies for some minutes: what `modern` has to beat.

64 x 64 pixels, 1.6 million parameters, one view, softmax along the tree, squared errors, AdamW, cosine schedule, moving
average of the weights. It learns from the first galaxies and is judged on the last tenth.
"""

import math
import time

import cv2
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from modern import network
from networks import tree

VERSIONS = {"PyTorch": torch.__version__, "OpenCV": cv2.__version__}

RECIPE = {
    "stem": {"filters": 32, "size": 5, "stride": 2},
    "stages": [
        {"filters": 32, "blocks": 1, "stride": 1},
        {"filters": 64, "blocks": 2, "stride": 2},
        {"filters": 128, "blocks": 2, "stride": 2},
        {"filters": 256, "blocks": 1, "stride": 2},
    ],
    "head": {"dropout": 0.3},
}
SIZE, BATCH, PEAK, WARMUP, DECAY = 64, 32, 3e-3, 0.05, 0.999
# Of the 212 pixels of a galaxy at half its size, as many as the winner looked at.
STEP = 103.5 / SIZE
COLOR = np.float32([-0.0148366, -0.01253134, -0.01040762])
UPRIGHT = [(1, 0, False)]
AVERAGED = [(zoom, 45 * turn, flip) for zoom in (1 / 1.2, 1, 1.2) for turn in range(8) for flip in (False, True)]


def affine(center, zoom=1.0, degrees=0.0, flip=False, shift=(0, 0)):
    """From the coordinates of the output to those of the image."""
    cos, sin = (f(math.radians(degrees)) * STEP / zoom for f in (math.cos, math.sin))
    linear = np.array([[-cos if flip else cos, -sin], [-sin if flip else sin, cos]])
    offset = center + np.array(shift) - linear.sum(1) * (SIZE - 1) / 2
    return np.column_stack([linear, offset])


def warp(image, matrix):
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    warped = cv2.warpAffine(image, matrix, (SIZE, SIZE), flags=flags, borderMode=cv2.BORDER_REFLECT_101)
    return warped.astype(np.float32) / 255


def inputs(images):
    return torch.from_numpy((np.stack(images) - 0.05) * 8).permute(0, 3, 1, 2)  # channels_last as it is


def initial():
    net = network(RECIPE)
    for block in net:
        if hasattr(block, "second"):
            nn.init.zeros_(block.second[1].weight)  # a block begins as its shortcut
    return net.to(memory_format=torch.channels_last)


def setup(request):
    torch.set_num_threads(request["threads"])
    cv2.setNumThreads(1)
    torch.manual_seed(request["seed"])
    rng = np.random.default_rng(request["seed"])
    pixels = request["pixels"]
    shape = (pixels["count"], pixels["height"], pixels["width"], 3)
    images = np.fromfile(pixels["file"], np.uint8, math.prod(shape), offset=pixels["records"]).reshape(shape)
    center = np.array([(shape[2] - 1) / 2, (shape[1] - 1) / 2])
    labels = np.float32(request["labels"]).reshape(shape[0], -1)
    valid = slice(request["train"], None)

    def drawn(row):
        matrix = affine(
            center,
            math.exp(rng.uniform(-math.log(1.3), math.log(1.3))),
            rng.uniform(0, 360),
            rng.random() < 0.5,
            rng.uniform(-2, 2, 2),
        )
        return warp(images[row], matrix) + np.float32(rng.normal() * 0.5) * COLOR

    def predict(net, transform):
        matrix = affine(center, *transform)
        chunks = np.array_split(images[valid], 8)
        with torch.no_grad():
            return np.concatenate([tree(net(inputs([warp(i, matrix) for i in c])), True).numpy() for c in chunks])

    def error(net, transforms):
        mean = np.mean([predict(net, transform) for transform in transforms], 0)
        return float(np.sqrt(np.mean((mean - labels[valid]) ** 2)))

    def train():
        net, average = initial(), initial()
        average.load_state_dict(net.state_dict())
        optimizer = torch.optim.AdamW(net.parameters(), lr=PEAK, weight_decay=0.05, fused=True)
        start, steps, rows = time.monotonic(), 0, []
        while (done := (time.monotonic() - start) / 60 / request["minutes"]) < 1:
            rate = PEAK * min(1, done / WARMUP) * (0.5 + 0.5 * math.cos(math.pi * done))
            for group in optimizer.param_groups:
                group["lr"] = rate
            if len(rows) < BATCH:
                rows = list(rng.permutation(request["train"]))
            batch, rows = rows[:BATCH], rows[BATCH:]
            net.train()
            optimizer.zero_grad(set_to_none=True)
            outputs = tree(net(inputs([drawn(row) for row in batch])), softmax=True)
            F.mse_loss(outputs, torch.from_numpy(labels[batch])).backward()
            optimizer.step()
            steps += 1
            decay = min(DECAY, (1 + steps) / (10 + steps))
            with torch.no_grad():
                for a, w in zip(average.state_dict().values(), net.state_dict().values()):
                    a.lerp_(w, 1 - decay) if a.dtype.is_floating_point else a.copy_(w)
        average.eval()
        parameters = sum(p.numel() for p in net.parameters())
        return {"steps": steps, "one": error(average, UPRIGHT), "averaged": error(average, AVERAGED), "parameters": parameters}

    return {"train": train}
