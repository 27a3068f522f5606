"""OpenCV, scikit-image and Pillow at @gz/augment's and @gz/galaxies' work, one thread each."""

import base64
import io

import cv2
import numpy as np
import PIL
import skimage
from PIL import Image
from skimage.transform import AffineTransform, warp

VERSIONS = {"OpenCV": cv2.__version__, "scikit-image": skimage.__version__, "Pillow": PIL.__version__}


def setup(request):
    cv2.setNumThreads(1)
    jpeg = base64.b64decode(request["jpeg"])
    encoded = np.frombuffer(jpeg, np.uint8)
    image = cv2.cvtColor(cv2.imdecode(encoded, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    size = request["size"]
    color = np.float32(request["color"])
    matrices = [np.float64(m).reshape(2, 3) for m in request["affines"]]
    transforms = [AffineTransform(np.vstack([m, [0, 0, 1]])) for m in matrices]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP

    def opencv_warp(m):
        return cv2.warpAffine(image, m, (size, size), flags=flags, borderMode=cv2.BORDER_REFLECT_101)

    def opencv():
        for m in matrices:
            out = opencv_warp(m)
        return float(out.mean() / 255)

    def opencv_float():
        for m in matrices:
            out = opencv_warp(m).astype(np.float32)
            out *= np.float32(1 / 255)
            out += color
        return float(out.mean())

    def scikit_image():
        for t in transforms:
            out = warp(image, t, output_shape=(size, size), order=1, mode="reflect")
        return float(out.mean())

    def pillow_opencv_path():
        for views in request["views"]:
            pixels = np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB"))
            for m in views:
                view = np.float64(m).reshape(2, 3)
                out = cv2.warpAffine(pixels, view, (size, size), flags=flags, borderMode=cv2.BORDER_REFLECT_101)
                out = out.astype(np.float32)
                out *= np.float32(1 / 255)
                out += color
        return float(out.mean())

    def opencv_decode():
        return float(cv2.cvtColor(cv2.imdecode(encoded, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB).mean())

    def pillow_decode():
        return float(np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB")).mean())

    functions = (opencv, opencv_float, scikit_image, opencv_decode, pillow_decode, pillow_opencv_path)
    return {f.__name__: f for f in functions}
