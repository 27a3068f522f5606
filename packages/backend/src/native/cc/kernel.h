// What our operations share: their inputs and outputs by TensorFlow's C interface, threads, and code for the CPU at hand.
#pragma once
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <vector>

#include "tensorflow/c/kernels.h"
#include "tensorflow/c/ops.h"
#include "tensorflow/c/tf_status.h"
#include "tensorflow/c/tf_tensor.h"

namespace gz {

// Compiled twice, the second time for CPUs with AVX2 and FMA; the loader picks.
#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__) && !defined(__clang__)
#define GZ_FAST __attribute__((target_clones("arch=haswell", "default")))
#else
#define GZ_FAST
#endif

// Runs work(0) to work(count - 1) on as many threads as TensorFlow was given. What a task computes must not depend on
// which thread has it: then results do not depend on how many there are.
void Parallel(int count, const std::function<void(int)>& work);

// One call of a kernel: reports the first thing that goes wrong, and lets go of its tensors when it ends.
class Call {
 public:
  explicit Call(TF_OpKernelContext* context)
      : context_(context),
        status_(TF_NewStatus()),
        inputs_(TF_NumInputs(context)),
        outputs_(TF_NumOutputs(context)) {}
  ~Call();
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  TF_Tensor* Input(int index);
  const float* Floats(int index) { return static_cast<const float*>(TF_TensorData(Input(index))); }
  // Space for a result of these dimensions; null when there is no memory for it, which is reported.
  float* Output(int index, const int64_t* dims, int rank);
  float* OutputLike(int index, int input);

 private:
  bool Report();
  TF_OpKernelContext* context_;
  TF_Status* status_;
  std::vector<TF_Tensor*> inputs_, outputs_;
};

// How TensorFlow makes the state of a kernel, calls it, and lets go of it; an operation without attributes has no state.
struct Functions {
  void (*compute)(void* state, TF_OpKernelContext*);
  void* (*create)(TF_OpKernelConstruction*) = nullptr;
  void (*destroy)(void* state) = nullptr;
};

// Tells TensorFlow's graphs the shape of the next result: that of one of the inputs.
void ShapeLike(TF_ShapeInferenceContext* context, int output, int input, TF_Status* status);

// The shapes of all results: each that of the input of this number.
template <int... kInputs>
void ShapesLike(TF_ShapeInferenceContext* context, TF_Status* status) {
  int output = 0;
  (ShapeLike(context, output++, kInputs, status), ...);
}

// Adds an operation for the CPU to TensorFlow, its inputs, outputs and attributes each as "name: type".
bool Register(const char* name, std::initializer_list<const char*> inputs,
              std::initializer_list<const char*> outputs,
              std::initializer_list<const char*> attributes,
              void (*shapes)(TF_ShapeInferenceContext*, TF_Status*), const Functions& functions);

}  // namespace gz
