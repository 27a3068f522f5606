"""The residual network of the recipe `modern` in PyTorch: channels_last, fused AdamW, moving average of the weights."""

import torch
import torch.nn as nn
import torch.nn.functional as F
from tree import tree

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


def network(width):
    layers = [conv_norm(3, width, 5, 2), nn.ReLU()]
    inputs = width
    for outputs, blocks, stride in ((width, 1, 1), (2 * width, 2, 2), (4 * width, 2, 2), (8 * width, 1, 2)):
        for block in range(blocks):
            layers.append(Block(inputs, outputs, stride if block == 0 else 1))
            inputs = outputs
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.3), nn.Linear(inputs, 37))


def setup(request):
    torch.set_num_threads(request["threads"])
    torch.manual_seed(1)
    net, average = (network(32).to(memory_format=torch.channels_last) for _ in range(2))
    assert sum(p.numel() for p in net.parameters()) == request["parameters"]
    floats = [
        (a, w)
        for a, w in zip(average.state_dict().values(), net.state_dict().values())
        if a.dtype.is_floating_point
    ]
    averages, weights = zip(*floats)
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3, weight_decay=0.05, fused=True)
    images, labels = torch.rand(request["batch"], 64, 64, 3), torch.rand(request["batch"], 37)

    def inputs():
        return ((images - 0.05) * 8).permute(0, 3, 1, 2)  # channels_last as it is

    def step():
        net.train()
        optimizer.zero_grad(set_to_none=True)
        loss = F.mse_loss(tree(net(inputs()), softmax=True), labels)
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            torch._foreach_lerp_(averages, weights, 1e-3)
        return loss.item()

    def forward():
        net.eval()
        with torch.no_grad():
            return tree(net(inputs()), softmax=True).sum().item()

    return {"step": step, "forward": forward}
