"""SciPy's non-negative least squares at @gz/ensemble's work, from the rows, one thread."""

import numpy as np
import scipy
from scipy.optimize import nnls

VERSIONS = {"SciPy": scipy.__version__, "NumPy": np.__version__}

# A row of this weight makes the weights sum to one.
HEAVY = 1e6


def fit(P, y):
    """P [members, ...], y [...] -> the weights on the simplex nearest to y."""
    A = np.vstack([P.reshape(len(P), -1).T, np.full(len(P), HEAVY)])
    return nnls(A, np.append(y.ravel(), HEAVY))[0]


def setup(request):
    shape = (request["rows"], request["columns"])
    data = np.fromfile(request["file"], np.float32).astype(np.float64).reshape(-1, *shape)
    y, P = data[0], data[1:]
    # The folds of @gz/ensemble: row i is in fold floor(i folds / rows).
    fold = np.arange(shape[0]) * request["folds"] // shape[0]

    def cross_validated(groups):
        errors = np.empty_like(y)
        for group in groups:
            fit(P[:, :, group], y[:, group])
            for k in range(request["folds"]):
                held, rest = fold == k, fold != k
                weights = fit(P[:, rest][:, :, group], y[rest][:, group])
                errors[np.ix_(held, group)] = np.tensordot(weights, P[:, held][:, :, group], 1) - y[held][:, group]
        return float(np.sqrt((errors**2).mean()))

    return {
        "shared": lambda: cross_validated([list(range(shape[1]))]),
        "column": lambda: cross_validated([[c] for c in range(shape[1])]),
    }
