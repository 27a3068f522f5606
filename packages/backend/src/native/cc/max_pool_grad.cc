// The gradient of max pooling, as an operation of TensorFlow. TensorFlow's own first repeats the pooling to find
// the largest elements again; this one compares with the pooled output, which is at hand, in one pass over memory.
// As there, the first of several equal elements gets the gradient. Layout NHWC, float32, CPU.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#include "tensorflow/c/kernels.h"
#include "tensorflow/c/ops.h"
#include "tensorflow/c/tf_status.h"
#include "tensorflow/c/tf_tensor.h"

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
void PoolGradient(const int32_t* window, Shape in, Shape out, const float* __restrict x,
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

int64_t ThreadCount() {
  const char* set = std::getenv("TF_NUM_INTRAOP_THREADS");
  const int64_t count = set ? std::atoll(set) : std::thread::hardware_concurrency();
  return std::max<int64_t>(count, 1);
}

Shape ShapeOf(const TF_Tensor* tensor) {
  return {TF_Dim(tensor, 1), TF_Dim(tensor, 2), TF_Dim(tensor, 3)};
}

void Compute(void* kernel, TF_OpKernelContext* context) {
  const int32_t* window = static_cast<Kernel*>(kernel)->window;
  TF_Status* status = TF_NewStatus();
  TF_Tensor* inputs[3] = {nullptr, nullptr, nullptr};
  for (int i = 0; i < 3; i++) TF_GetInput(context, i, &inputs[i], status);
  const Shape in = ShapeOf(inputs[0]);
  const Shape out = ShapeOf(inputs[1]);
  const int64_t batch = TF_Dim(inputs[0], 0);
  const int64_t dims[4] = {batch, in.height, in.width, in.channels};
  TF_Tensor* result = TF_AllocateOutput(context, 0, TF_FLOAT, dims, 4,
                                        batch * in.size() * sizeof(float), status);
  if (TF_GetCode(status) != TF_OK) {
    TF_OpKernelContext_Failure(context, status);
  } else {
    const float* x = static_cast<const float*>(TF_TensorData(inputs[0]));
    const float* y = static_cast<const float*>(TF_TensorData(inputs[1]));
    const float* dy = static_cast<const float*>(TF_TensorData(inputs[2]));
    float* dx = static_cast<float*>(TF_TensorData(result));
    // Whole images to a thread: the values do not depend on how many there are.
    const int64_t threads = std::min(ThreadCount(), std::max<int64_t>(batch, 1));
    const auto images = [&](int64_t thread) {
      std::vector<float> open(in.channels);
      for (int64_t n = thread * batch / threads; n < (thread + 1) * batch / threads; n++)
        PoolGradient(window, in, out, x + n * in.size(), y + n * out.size(), dy + n * out.size(),
                     dx + n * in.size(), open.data());
    };
    std::vector<std::thread> others;
    for (int64_t thread = 1; thread < threads; thread++) others.emplace_back(images, thread);
    images(0);
    for (std::thread& other : others) other.join();
    TF_DeleteTensor(result);
  }
  for (TF_Tensor* input : inputs) TF_DeleteTensor(input);
  TF_DeleteStatus(status);
}

bool Register() {
  TF_Status* status = TF_NewStatus();
  TF_OpDefinitionBuilder* op = TF_NewOpDefinitionBuilder("GzMaxPoolGrad");
  for (const char* input : {"x: float", "y: float", "dy: float"})
    TF_OpDefinitionBuilderAddInput(op, input);
  TF_OpDefinitionBuilderAddOutput(op, "dx: float");
  TF_OpDefinitionBuilderAddAttr(op, "window: list(int)");
  TF_RegisterOpDefinition(op, status);
  TF_RegisterKernelBuilder("GzMaxPoolGrad",
                           TF_NewKernelBuilder("GzMaxPoolGrad", "CPU", Create, Compute, Delete),
                           status);
  TF_DeleteStatus(status);
  return true;
}

const bool registered = Register();

}  // namespace
