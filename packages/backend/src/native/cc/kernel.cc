#include "kernel.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <thread>


namespace gz {
namespace {

int ThreadCount() {
  const char* set = std::getenv("TF_NUM_INTRAOP_THREADS");
  return std::max(set ? std::atoi(set) : static_cast<int>(std::thread::hardware_concurrency()), 1);
}

// Threads that sleep between calls: to start one takes as long as a small operation.
class Team {
 public:
  Team() {
    for (int i = 1; i < ThreadCount(); i++) std::thread([this] { Serve(); }).detach();
  }

  void Run(int count, const std::function<void(int)>& work) {
    const std::lock_guard<std::mutex> one_caller(callers_);
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      work_ = &work;
      count_ = count;
      next_ = 0;
      open_ = count;
      round_++;
    }
    begin_.notify_all();
    Take(work, count);
    std::unique_lock<std::mutex> lock(mutex_);
    end_.wait(lock, [this] { return open_ == 0 && busy_ == 0; });
    work_ = nullptr;
  }

 private:
  void Serve() {
    uint64_t seen = 0;
    std::unique_lock<std::mutex> lock(mutex_);
    while (true) {
      begin_.wait(lock, [&] { return round_ != seen && work_ != nullptr; });
      seen = round_;
      const std::function<void(int)>* work = work_;
      const int count = count_;
      busy_++;
      lock.unlock();
      Take(*work, count);
      lock.lock();
      busy_--;
      if (open_ == 0 && busy_ == 0) end_.notify_one();
    }
  }

  void Take(const std::function<void(int)>& work, int count) {
    for (int task; (task = next_.fetch_add(1)) < count;) {
      work(task);
      open_.fetch_sub(1);
    }
  }

  std::mutex callers_, mutex_;
  std::condition_variable begin_, end_;
  const std::function<void(int)>* work_ = nullptr;
  int count_ = 0;
  std::atomic<int> next_{0}, open_{0};
  int busy_ = 0;
  uint64_t round_ = 0;
};

}  // namespace

void Parallel(int count, const std::function<void(int)>& work) {
  static Team* team = new Team;  // never taken down: its threads sleep until the process ends
  team->Run(count, work);
}

Call::~Call() {
  for (TF_Tensor* tensor : inputs_)
    if (tensor) TF_DeleteTensor(tensor);
  for (TF_Tensor* tensor : outputs_)
    if (tensor) TF_DeleteTensor(tensor);
  TF_DeleteStatus(status_);
}

TF_Tensor* Call::Input(int index) {
  if (!inputs_[index]) {
    TF_GetInput(context_, index, &inputs_[index], status_);
    Report();
  }
  return inputs_[index];
}

float* Call::Output(int index, const int64_t* dims, int rank) {
  int64_t size = sizeof(float);
  for (int i = 0; i < rank; i++) size *= dims[i];
  outputs_[index] = TF_AllocateOutput(context_, index, TF_FLOAT, dims, rank, size, status_);
  if (!Report()) return nullptr;
  static float nothing;  // TensorFlow has no address for an empty tensor, which is no lack of memory
  void* data = TF_TensorData(outputs_[index]);
  return data ? static_cast<float*>(data) : &nothing;
}

float* Call::OutputLike(int index, int input) {
  TF_Tensor* like = Input(input);
  int64_t dims[8];
  const int rank = TF_NumDims(like);
  for (int i = 0; i < rank; i++) dims[i] = TF_Dim(like, i);
  return Output(index, dims, rank);
}

bool Call::Report() {
  if (TF_GetCode(status_) == TF_OK) return true;
  TF_OpKernelContext_Failure(context_, status_);
  return false;
}

void ShapeLike(TF_ShapeInferenceContext* context, int output, int input, TF_Status* status) {
  TF_ShapeHandle* shape = TF_NewShapeHandle();
  TF_ShapeInferenceContextGetInput(context, input, shape, status);
  if (TF_GetCode(status) == TF_OK)
    TF_ShapeInferenceContextSetOutput(context, output, shape, status);
  TF_DeleteShapeHandle(shape);
}

bool Register(const char* name, std::initializer_list<const char*> inputs,
              std::initializer_list<const char*> outputs,
              std::initializer_list<const char*> attributes,
              void (*shapes)(TF_ShapeInferenceContext*, TF_Status*), const Functions& functions) {
  TF_Status* status = TF_NewStatus();
  TF_OpDefinitionBuilder* op = TF_NewOpDefinitionBuilder(name);
  for (const char* input : inputs) TF_OpDefinitionBuilderAddInput(op, input);
  for (const char* output : outputs) TF_OpDefinitionBuilderAddOutput(op, output);
  for (const char* attribute : attributes) TF_OpDefinitionBuilderAddAttr(op, attribute);
  TF_OpDefinitionBuilderSetShapeInferenceFunction(op, shapes);
  TF_RegisterOpDefinition(op, status);
  TF_RegisterKernelBuilder(name,
                           TF_NewKernelBuilder(name, "CPU", functions.create, functions.compute,
                                               functions.destroy),
                           status);
  TF_DeleteStatus(status);
  return true;
}

}  // namespace gz
