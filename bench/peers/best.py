"""The winner's best network (42,377,125 parameters) in PyTorch: channels_last, fused SGD."""

import torch
import torch.nn as nn
import torch.nn.functional as F
from networks import same_size, tree

VERSIONS = {"PyTorch": torch.__version__}


class Best(nn.Module):
    def __init__(self):
        super().__init__()

        def conv(inputs, outputs, kernel, side):
            return nn.Conv2d(inputs, outputs, kernel, bias=False), nn.Parameter(torch.full((outputs, side, side), 0.1))

        self.c1, self.b1 = conv(3, 32, 6, 40)
        self.c2, self.b2 = conv(32, 64, 5, 16)
        self.c3, self.b3 = conv(64, 128, 3, 6)
        self.c4, self.b4 = conv(128, 128, 3, 4)
        self.d1, self.d2, self.d3 = nn.Linear(8192, 4096), nn.Linear(2048, 4096), nn.Linear(2048, 37)

    def forward(self, views):
        x = parts(views)
        n = len(views)
        h = F.max_pool2d(F.relu(self.c1(x) + self.b1), 2)
        h = F.max_pool2d(F.relu(self.c2(h) + self.b2), 2)
        h = F.relu(self.c3(h) + self.b3)
        h = F.max_pool2d(F.relu(self.c4(h) + self.b4), 2)
        h = h.reshape(16, n, 512).transpose(0, 1).reshape(n, 8192)
        for dense in (self.d1, self.d2):
            h = dense(F.dropout(h, 0.5, self.training)).view(n, -1, 2).amax(2)
        return tree(self.d3(F.dropout(h, 0.5, self.training)))


def parts(views):
    """[B, 2, 69, 69, 3] -> [16 B, 3, 45, 45], part-major: each view and its mirror, four corners each."""
    v = views.permute(0, 1, 4, 2, 3)
    p = []
    for view in range(2):
        for mirror in (False, True):
            w = v[:, view].flip(-1) if mirror else v[:, view]
            p += [torch.rot90(w, turn, (2, 3))[:, :, :45, :45] for turn in range(4)]
    return torch.cat(p).contiguous(memory_format=torch.channels_last)


def setup(request):
    torch.set_num_threads(request["threads"])
    torch.manual_seed(1)
    batch = request["recipe"]["batch"]
    net = Best().to(memory_format=torch.channels_last)
    same_size(net, request)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.04, momentum=0.9, nesterov=True, fused=True)
    views, labels = torch.rand(batch, 2, 69, 69, 3), torch.rand(batch, 37)

    def step():
        net.train()
        optimizer.zero_grad(set_to_none=True)
        loss = F.mse_loss(net(views), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    def forward():
        net.eval()
        with torch.no_grad():
            return net(views).sum().item()

    return {"step": step, "forward": forward}
