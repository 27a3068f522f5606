// Batch normalisation over all axes but the last, and its gradient, as operations of TensorFlow: two passes over memory
// each, one for the channels' sums and one for the result. Layout [..., C], float32, CPU.
#include <algorithm>
#include <cmath>
#include <vector>

#include "kernel.h"

namespace {

struct Kernel {
  float epsilon;
  float momentum;
};

void* Create(TF_OpKernelConstruction* context) {
  Kernel* kernel = new Kernel{};
  TF_Status* status = TF_NewStatus();
  TF_OpKernelConstruction_GetAttrFloat(context, "epsilon", &kernel->epsilon, status);
  if (TF_GetCode(status) == TF_OK)
    TF_OpKernelConstruction_GetAttrFloat(context, "momentum", &kernel->momentum, status);
  if (TF_GetCode(status) != TF_OK) TF_OpKernelConstruction_Failure(context, status);
  TF_DeleteStatus(status);
  return kernel;
}

void Delete(void* kernel) { delete static_cast<Kernel*>(kernel); }

// Rows are shared out in this many tasks, whatever the number of threads, and summed in float32 this many at a time.
constexpr int kTasks = 8;
constexpr int64_t kBlock = 64;

// sums += b, products += b (a - shift), with a - shift for b if that is null, over rows of `channels` values.
GZ_FAST void AddBlock(const float* __restrict a, const float* __restrict b,
                      const float* __restrict shift, int64_t rows, int64_t channels,
                      float* __restrict sums, float* __restrict products) {
  for (int64_t row = 0; row < rows; row++, a += channels) {
    if (b) {
      for (int64_t c = 0; c < channels; c++) {
        sums[c] += b[c];
        products[c] += b[c] * (a[c] - shift[c]);
      }
      b += channels;
    } else {
      for (int64_t c = 0; c < channels; c++) {
        const float value = a[c] - shift[c];
        sums[c] += value;
        products[c] += value * value;
      }
    }
  }
}

// Sums of b and of b (x - shift), or of (x - shift) and its square without a b, of each channel, in double precision.
void ChannelSums(const float* x, const float* b, const float* shift, int64_t rows, int64_t channels,
                 std::vector<double>& sums, std::vector<double>& products) {
  std::vector<double> parts(2 * kTasks * channels);
  gz::Parallel(kTasks, [&](int task) {
    double* part = parts.data() + 2 * task * channels;
    std::vector<float> block(2 * channels);
    const int64_t end = (task + 1) * rows / kTasks;
    for (int64_t row = task * rows / kTasks; row < end; row += kBlock) {
      std::fill(block.begin(), block.end(), 0.0f);
      AddBlock(x + row * channels, b ? b + row * channels : nullptr, shift,
               std::min(kBlock, end - row), channels, block.data(), block.data() + channels);
      for (int64_t c = 0; c < 2 * channels; c++) part[c] += block[c];
    }
  });
  sums.assign(channels, 0);
  products.assign(channels, 0);
  for (int task = 0; task < kTasks; task++)
    for (int64_t c = 0; c < channels; c++) {
      sums[c] += parts[2 * task * channels + c];
      products[c] += parts[(2 * task + 1) * channels + c];
    }
}

// y = (x - mean) gain + offset
GZ_FAST void Normalize(const float* __restrict x, const float* __restrict mean,
                       const float* __restrict gain, const float* __restrict offset, int64_t rows,
                       int64_t channels, float* __restrict y) {
  for (int64_t row = 0; row < rows; row++, x += channels, y += channels)
    for (int64_t c = 0; c < channels; c++) y[c] = (x[c] - mean[c]) * gain[c] + offset[c];
}

// dx = (dy - level) gain - (x - mean) slope
GZ_FAST void NormalizeGradient(const float* __restrict dy, const float* __restrict x,
                               const float* __restrict mean, const float* __restrict level,
                               const float* __restrict gain, const float* __restrict slope,
                               int64_t rows, int64_t channels, float* __restrict dx) {
  for (int64_t row = 0; row < rows; row++, dy += channels, x += channels, dx += channels)
    for (int64_t c = 0; c < channels; c++)
      dx[c] = (dy[c] - level[c]) * gain[c] - (x[c] - mean[c]) * slope[c];
}

void ForRows(int64_t rows, const std::function<void(int64_t, int64_t)>& work) {
  gz::Parallel(kTasks, [&](int task) {
    const int64_t first = task * rows / kTasks;
    work(first, (task + 1) * rows / kTasks - first);
  });
}

// Values of each channel; 0 also where there are no channels.
int64_t Rows(const TF_Tensor* x, int64_t channels) {
  return TF_TensorElementCount(x) / std::max<int64_t>(channels, 1);
}

enum { X, SCALE, OFFSET, MOVING_MEAN, MOVING_VARIANCE };

void Compute(void* state, TF_OpKernelContext* context) {
  const Kernel& kernel = *static_cast<Kernel*>(state);
  gz::Call call(context);
  const float *x = call.Floats(X), *scale = call.Floats(SCALE), *offset = call.Floats(OFFSET);
  const float *old_mean = call.Floats(MOVING_MEAN), *old_variance = call.Floats(MOVING_VARIANCE);
  const int64_t channels = TF_TensorElementCount(call.Input(SCALE));
  const int64_t rows = Rows(call.Input(X), channels);
  float* y = call.OutputLike(0, X);
  float *new_mean = call.OutputLike(1, SCALE), *new_variance = call.OutputLike(2, SCALE);
  float *mean = call.OutputLike(3, SCALE), *inverse = call.OutputLike(4, SCALE);
  if (!y || !new_mean || !new_variance || !mean || !inverse) return;
  if (rows == 0) {  // a batch of nothing teaches nothing
    std::copy(old_mean, old_mean + channels, new_mean);
    std::copy(old_variance, old_variance + channels, new_variance);
    std::fill(mean, mean + channels, 0.0f);
    std::fill(inverse, inverse + channels, 0.0f);
    return;
  }

  // Around a value of the channel's own the sum of squares keeps its digits however far the mean is from 0.
  std::vector<double> sums, squares;
  ChannelSums(x, nullptr, x, rows, channels, sums, squares);
  std::vector<float> gain(channels);
  const double unbiased = static_cast<double>(rows) / std::max<int64_t>(rows - 1, 1);
  for (int64_t c = 0; c < channels; c++) {
    const double centre = sums[c] / rows;
    const double variance = std::max(squares[c] / rows - centre * centre, 0.0);
    mean[c] = x[c] + centre;
    inverse[c] = 1 / std::sqrt(variance + kernel.epsilon);
    gain[c] = scale[c] * inverse[c];
    const float share = 1 - kernel.momentum;
    new_mean[c] = old_mean[c] * kernel.momentum + mean[c] * share;
    new_variance[c] = old_variance[c] * kernel.momentum + static_cast<float>(variance * unbiased) * share;
  }
  ForRows(rows, [&](int64_t first, int64_t count) {
    const int64_t at = first * channels;
    Normalize(x + at, mean, gain.data(), offset, count, channels, y + at);
  });
}

enum { DY, INPUT, GAMMA, MEAN, INVERSE };

// With u = (x - mean) inverse: doffset = sum dy, dscale = sum dy u, dx = scale inverse (dy - mean(dy) - u mean(dy u)).
void ComputeGradient(void*, TF_OpKernelContext* context) {
  gz::Call call(context);
  const float *dy = call.Floats(DY), *x = call.Floats(INPUT), *scale = call.Floats(GAMMA);
  const float *mean = call.Floats(MEAN), *inverse = call.Floats(INVERSE);
  const int64_t channels = TF_TensorElementCount(call.Input(GAMMA));
  const int64_t rows = Rows(call.Input(INPUT), channels);
  float* dx = call.OutputLike(0, INPUT);
  float *dscale = call.OutputLike(1, GAMMA), *doffset = call.OutputLike(2, GAMMA);
  if (!dx || !dscale || !doffset) return;
  if (rows == 0) {
    std::fill(dscale, dscale + channels, 0.0f);
    std::fill(doffset, doffset + channels, 0.0f);
    return;
  }

  std::vector<double> sums, products;
  ChannelSums(x, dy, mean, rows, channels, sums, products);
  std::vector<float> level(channels), gain(channels), slope(channels);
  for (int64_t c = 0; c < channels; c++) {
    doffset[c] = sums[c];
    dscale[c] = products[c] * inverse[c];
    level[c] = sums[c] / rows;
    gain[c] = scale[c] * inverse[c];
    slope[c] = gain[c] * inverse[c] * dscale[c] / rows;
  }
  ForRows(rows, [&](int64_t first, int64_t count) {
    const int64_t at = first * channels;
    NormalizeGradient(dy + at, x + at, mean, level.data(), gain.data(), slope.data(), count,
                      channels, dx + at);
  });
}

const bool registered =
    gz::Register("GzBatchNorm",
                 {"x: float", "scale: float", "offset: float", "moving_mean: float",
                  "moving_variance: float"},
                 {"y: float", "new_mean: float", "new_variance: float", "mean: float",
                  "inverse: float"},
                 {"epsilon: float", "momentum: float"}, gz::ShapesLike<0, 1, 1, 1, 1>,
                 {Compute, Create, Delete}) &&
    gz::Register("GzBatchNormGrad",
                 {"dy: float", "x: float", "scale: float", "mean: float", "inverse: float"},
                 {"dx: float", "dscale: float", "doffset: float"}, {}, gz::ShapesLike<1, 2, 2>,
                 {ComputeGradient});

}  // namespace
