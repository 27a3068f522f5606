// An addon of its own, for what TensorFlow writes to standard error while its library is being loaded: that is before
// it has read TF_CPP_MIN_LOG_LEVEL. begin() sends the descriptor to /dev/null, end() brings it back.
#include <fcntl.h>
#include <node_api.h>
#include <unistd.h>

static int saved = -1;

static napi_value Begin(napi_env, napi_callback_info) {
  const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (saved == -1 && nowhere != -1) {
    saved = dup(STDERR_FILENO);
    if (saved != -1) dup2(nowhere, STDERR_FILENO);
  }
  if (nowhere != -1) close(nowhere);
  return nullptr;
}

static napi_value End(napi_env, napi_callback_info) {
  if (saved != -1) {
    dup2(saved, STDERR_FILENO);
    close(saved);
    saved = -1;
  }
  return nullptr;
}

NAPI_MODULE_INIT() {
  napi_value begin, end;
  napi_create_function(env, "begin", NAPI_AUTO_LENGTH, Begin, nullptr, &begin);
  napi_create_function(env, "end", NAPI_AUTO_LENGTH, End, nullptr, &end);
  napi_set_named_property(env, exports, "begin", begin);
  napi_set_named_property(env, exports, "end", end);
  return exports;
}
