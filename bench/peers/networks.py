"""What the networks share: Kaggle's decision tree on 37 raw outputs, and a check that they are ours."""

import torch
import torch.nn.functional as F

QUESTIONS = [(0, 3), (3, 5), (5, 7), (7, 9), (9, 13), (13, 15), (15, 18), (18, 25), (25, 28), (28, 31), (31, 37)]
# Question -> the column its answers hang from. Question 6 (index 5) has weight 1, as in Kaggle's labels.
PARENT = {1: 1, 2: 4, 3: 4, 4: 4, 6: 0, 7: 13, 8: 3, 9: 7, 10: 7}


def tree(z, softmax=False):
    """Divisive (the winner's) or by softmax."""
    if softmax:
        p = [torch.softmax(z[:, a:b], 1) for a, b in QUESTIONS]
    else:
        r = F.relu(z)
        p = [r[:, a:b] / (r[:, a:b].sum(1, keepdim=True) + 1e-12) for a, b in QUESTIONS]

    def column(c):
        return next(p[q][:, c - a : c - a + 1] for q, (a, b) in enumerate(QUESTIONS) if a <= c < b)

    for question in PARENT:
        p[question] = p[question] * column(PARENT[question])
    return torch.cat(p, 1)


def same_size(net, request):
    """A ratio between different networks would say nothing."""
    parameters = sum(p.numel() for p in net.parameters())
    if parameters != request["parameters"]:
        raise ValueError(f"expected {request['parameters']} parameters, as ours has, but got {parameters}")
