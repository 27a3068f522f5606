// A step of AdamW in one pass over memory, as an operation of TensorFlow that returns the new values. TensorFlow's own
// changes a variable of its own in place, which saves memory: for the many small weights of a network, to put them there
// and to read them back takes longer than the update. Float32, CPU.
#include <algorithm>
#include <cmath>

#include "kernel.h"

namespace {

// Tasks of this many values.
constexpr int64_t kChunk = 1 << 15;

void ForChunks(int64_t size, const std::function<void(int64_t, int64_t)>& work) {
  if (size <= kChunk) return work(0, size);
  gz::Parallel((size + kChunk - 1) / kChunk, [&](int task) {
    const int64_t first = task * kChunk;
    work(first, std::min(kChunk, size - first));
  });
}

// The scalars of one step.
struct Numbers {
  float decay;    // factor of the weight before the update
  float rate;     // learning rate sqrt(1 - beta2^t) / (1 - beta1^t)
  float share1;   // 1 - beta1
  float share2;   // 1 - beta2
  float epsilon;  // added to sqrt(v), scaled by sqrt(1 - beta2^t) like the rate
};

GZ_FAST void AdamW(const Numbers& n, const float* __restrict theta, const float* __restrict m,
                   const float* __restrict v, const float* __restrict g, int64_t size,
                   float* __restrict new_theta, float* __restrict new_m,
                   float* __restrict new_v) {
  for (int64_t i = 0; i < size; i++) {
    const float mean = m[i] + (g[i] - m[i]) * n.share1;
    const float square = v[i] + (g[i] * g[i] - v[i]) * n.share2;
    new_m[i] = mean;
    new_v[i] = square;
    new_theta[i] = theta[i] * n.decay - mean * n.rate / (std::sqrt(square) + n.epsilon);
  }
}

void ComputeAdamW(void*, TF_OpKernelContext* context) {
  gz::Call call(context);
  const float *theta = call.Floats(0), *m = call.Floats(1), *v = call.Floats(2);
  const float* g = call.Floats(3);
  const Numbers numbers = {*call.Floats(4), *call.Floats(5), *call.Floats(6), *call.Floats(7),
                           *call.Floats(8)};
  float* results[3] = {call.OutputLike(0, 0), call.OutputLike(1, 0), call.OutputLike(2, 0)};
  if (!results[0] || !results[1] || !results[2]) return;
  ForChunks(TF_TensorElementCount(call.Input(0)), [&](int64_t at, int64_t size) {
    AdamW(numbers, theta + at, m + at, v + at, g + at, size, results[0] + at, results[1] + at,
          results[2] + at);
  });
}

const bool registered = gz::Register(
    "GzAdamW",
    {"theta: float", "m: float", "v: float", "g: float", "decay: float", "rate: float",
     "share1: float", "share2: float", "epsilon: float"},
    {"new_theta: float", "new_m: float", "new_v: float"}, {}, gz::ShapesLike<0, 1, 2>, {ComputeAdamW});

}  // namespace
