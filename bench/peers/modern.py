"""A recipe's residual network in PyTorch: channels_last, fused AdamW, moving average of the weights."""

import itertools

import torch
import torch.nn as nn
import torch.nn.functional as F
from networks import same_size, tree

VERSIONS = {"PyTorch": torch.__version__}


def conv_norm(inputs, outputs, kernel, stride):
    conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs))


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.first = conv_norm(inputs, outputs, 3, stride)
        self.second = conv_norm(outputs, outputs, 3, 1)
        pool = nn.AvgPool2d(2) if stride == 2 else nn.Identity()
        same = stride == 1 and inputs == outputs
        self.shortcut = nn.Identity() if same else nn.Sequential(pool, conv_norm(inputs, outputs, 1, 1))

    def forward(self, x):
        return F.relu(self.shortcut(x) + self.second(F.relu(self.first(x))))


def network(recipe):
    stem = recipe["stem"]
    layers = [conv_norm(3, stem["filters"], stem["size"], stem["stride"]), nn.ReLU()]
    inputs = stem["filters"]
    for stage in recipe["stages"]:
        for block in range(stage["blocks"]):
            layers.append(Block(inputs, stage["filters"], stage["stride"] if block == 0 else 1))
            inputs = stage["filters"]
    dropout = nn.Dropout(recipe["head"]["dropout"])
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), dropout, nn.Linear(inputs, 37))


def symmetries(x):
    """The eight turns and mirror images of square images, one after the other on the batch axis."""
    upright = torch.cat([x, x.flip(2), x.flip(3), x.flip(2, 3)])
    return torch.cat([upright, upright.transpose(2, 3)]).contiguous(memory_format=torch.channels_last)


def setup(request):
    torch.set_num_threads(request["threads"])
    torch.manual_seed(1)
    recipe = request["recipe"]
    batch, size, scale, offset = recipe["batch"], *(recipe["input"][key] for key in ("size", "scale", "offset"))
    net, average = (network(recipe["network"]).to(memory_format=torch.channels_last) for _ in range(2))
    same_size(net, request)
    floats = [
        (a, w)
        for a, w in zip(average.state_dict().values(), net.state_dict().values())
        if a.dtype.is_floating_point
    ]
    averages, weights = zip(*floats)
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3, weight_decay=0.05, fused=True)
    images, labels = torch.rand(batch, size, size, 3), torch.rand(batch, 37)

    def inputs():
        return (images * scale + offset).permute(0, 3, 1, 2)  # channels_last as it is

    steps = itertools.count(1)

    def step():
        net.train()
        optimizer.zero_grad(set_to_none=True)
        loss = F.mse_loss(tree(net(inputs()), softmax=True), labels)
        loss.backward()
        optimizer.step()
        if next(steps) % request["averageEvery"] == 0:
            with torch.no_grad():
                torch._foreach_lerp_(averages, weights, 1e-3)
        return loss.item()

    def forward():
        net.eval()
        with torch.no_grad():
            x = symmetries(inputs()) if recipe["network"].get("symmetries") else inputs()
            features = net[:-1](x).unflatten(0, (-1, batch)).mean(0)
            return tree(net[-1](features), softmax=True).sum().item()

    return {"step": step, "forward": forward}
