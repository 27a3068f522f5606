// The gradient of max pooling, as an operation of TensorFlow. TensorFlow's own first repeats the pooling to find
// the largest elements again; this one compares with the pooled output, which is at hand, in one pass over memory.
// As there, the first of several equal elements gets the gradient. Layout NHWC, float32, CPU.
#include <algorithm>
#include <cstring>
#include <vector>

#include "kernel.h"

namespace {

enum { FILTER_H, FILTER_W, STRIDE_H, STRIDE_W, PAD_TOP, PAD_LEFT, WINDOW_SIZE };

struct Kernel {
  int32_t window[WINDOW_SIZE];
};

void* Create(TF_OpKernelConstruction* context) {
  Kernel* kernel = new Kernel;
  TF_Status* status = TF_NewStatus();
  TF_OpKernelConstruction_GetAttrInt32List(context, "window", kernel->window, WINDOW_SIZE, status);
  if (TF_GetCode(status) != TF_OK) TF_OpKernelConstruction_Failure(context, status);
  TF_DeleteStatus(status);
  return kernel;
}

void Delete(void* kernel) { delete static_cast<Kernel*>(kernel); }

struct Shape {
  int64_t height, width, channels;
  int64_t size() const { return height * width * channels; }
};

// One image: adds each dy to the first element of its window that equals y.
GZ_FAST void PoolGradient(const int32_t* window, Shape in, Shape out, const float* __restrict x,
                  const float* __restrict y, const float* __restrict dy, float* __restrict dx,
                  float* __restrict open) {
  const int64_t channels = in.channels;
  std::memset(dx, 0, in.size() * sizeof(float));
  for (int64_t i = 0; i < out.height; i++) {
    const int64_t top = i * window[STRIDE_H] - window[PAD_TOP];
    const int64_t row0 = std::max<int64_t>(top, 0);
    const int64_t row1 = std::min(top + window[FILTER_H], in.height);
    for (int64_t j = 0; j < out.width; j++) {
      const int64_t left = j * window[STRIDE_W] - window[PAD_LEFT];
      const int64_t column0 = std::max<int64_t>(left, 0);
      const int64_t column1 = std::min(left + window[FILTER_W], in.width);
      std::copy(dy, dy + channels, open);  // the gradients that no element has got yet
      for (int64_t row = row0; row < row1; row++)
        for (int64_t column = column0; column < column1; column++) {
          const int64_t at = (row * in.width + column) * channels;
          for (int64_t c = 0; c < channels; c++) {
            const bool equal = x[at + c] == y[c];
            dx[at + c] += equal ? open[c] : 0.0f;
            open[c] = equal ? 0.0f : open[c];
          }
        }
      y += channels;
      dy += channels;
    }
  }
}

Shape ShapeOf(const TF_Tensor* tensor) {
  return {TF_Dim(tensor, 1), TF_Dim(tensor, 2), TF_Dim(tensor, 3)};
}

void Compute(void* kernel, TF_OpKernelContext* context) {
  const int32_t* window = static_cast<Kernel*>(kernel)->window;
  gz::Call call(context);
  const float *x = call.Floats(0), *y = call.Floats(1), *dy = call.Floats(2);
  const Shape in = ShapeOf(call.Input(0)), out = ShapeOf(call.Input(1));
  float* dx = call.OutputLike(0, 0);
  if (!dx) return;
  gz::Parallel(TF_Dim(call.Input(0), 0), [&](int image) {
    std::vector<float> open(in.channels);
    PoolGradient(window, in, out, x + image * in.size(), y + image * out.size(),
                 dy + image * out.size(), dx + image * in.size(), open.data());
  });
}

const bool registered =
    gz::Register("GzMaxPoolGrad", {"x: float", "y: float", "dy: float"}, {"dx: float"},
                 {"window: list(int)"}, gz::ShapesLike<0>, {Compute, Create, Delete});

}  // namespace
