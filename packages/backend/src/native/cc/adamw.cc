// A step of AdamW on a list of weights in one pass over memory, as an operation of TensorFlow that returns the new values.
// TensorFlow's own changes one variable of its own in place, which saves memory: for the many small weights of a network, to
// put them there and to read them back takes longer than the update. Float32, CPU.
#include <algorithm>
#include <cmath>
#include <vector>

#include "kernel.h"

namespace {

// Tasks of this many values.
constexpr int64_t kChunk = 1 << 15;

constexpr int kScalars = 5;

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

// A chunk of one weight.
struct Task {
  const float *theta, *m, *v, *g;
  float *new_theta, *new_m, *new_v;
  int64_t size;
};

// Inputs: all theta, all m, all v, all g, then the scalars; outputs: all new theta, m and v.
void ComputeAdamW(void*, TF_OpKernelContext* context) {
  gz::Call call(context);
  const int count = TF_NumOutputs(context) / 3;
  const auto scalar = [&](int i) { return *call.Floats(4 * count + i); };
  const Numbers numbers = {scalar(0), scalar(1), scalar(2), scalar(3), scalar(4)};
  std::vector<Task> tasks;
  for (int i = 0; i < count; i++) {
    float* results[3];
    for (int k = 0; k < 3; k++)
      if (!(results[k] = call.OutputLike(i + k * count, i))) return;
    const float *theta = call.Floats(i), *m = call.Floats(i + count);
    const float *v = call.Floats(i + 2 * count), *g = call.Floats(i + 3 * count);
    const int64_t size = TF_TensorElementCount(call.Input(i));
    for (int64_t at = 0; at < size; at += kChunk)
      tasks.push_back({theta + at, m + at, v + at, g + at, results[0] + at, results[1] + at,
                       results[2] + at, std::min(kChunk, size - at)});
  }
  const auto work = [&](int i) {
    const Task& t = tasks[i];
    AdamW(numbers, t.theta, t.m, t.v, t.g, t.size, t.new_theta, t.new_m, t.new_v);
  };
  if (tasks.size() == 1)
    work(0);
  else
    gz::Parallel(tasks.size(), work);
}

// New theta, m and v have the shapes of the old.
void Shapes(TF_ShapeInferenceContext* context, TF_Status* status) {
  const int64_t count = (TF_ShapeInferenceContextNumInputs(context) - kScalars) / 4;
  for (int i = 0; i < 3 * count; i++) gz::ShapeLike(context, i, i, status);
}

const bool registered = gz::Register(
    "GzAdamW",
    {"theta: N * float", "m: N * float", "v: N * float", "g: N * float", "decay: float",
     "rate: float", "share1: float", "share2: float", "epsilon: float"},
    {"new_theta: N * float", "new_m: N * float", "new_v: N * float"}, {"N: int >= 1"},
    Shapes, {ComputeAdamW});

}  // namespace
