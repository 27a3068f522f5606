"""sep, SExtractor's algorithms as a library, at @gz/galaxies' photometry, one thread."""

import numpy as np
import sep

VERSIONS = {"sep": sep.__version__}

# Headers and images in a FITS file fill whole blocks.
BLOCK = 2880


def setup(request):
    height, width = request["height"], request["width"]

    def images():
        """Of the file of writeFits as it is now: after the first header, each image behind its own."""
        bytes_ = 4 * height * width
        blocks = -(-bytes_ // BLOCK) + 1
        file = np.fromfile(request["file"], np.uint8)[BLOCK:].reshape(-1, blocks * BLOCK)
        data = file[:, BLOCK : BLOCK + bytes_].view(">f4").astype(np.float32)
        return data.reshape(-1, height, width)

    def detect(threshold):
        """The sources of each image."""
        lists = []
        for image in images():
            sky = sep.Background(image)
            sky.subfrom(image)
            found = sep.extract(image, threshold, err=sky.globalrms)
            lists.append([dict(zip("xyab", row)) for row in found[["x", "y", "a", "b"]].tolist()])
        return lists

    return {f"detect {t}": lambda t=t: detect(t) for t in request["thresholds"]}
