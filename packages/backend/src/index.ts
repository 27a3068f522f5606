export {
  type BackendInfo,
  type BackendName,
  type BackendOptions,
  useBackend,
} from "./use-backend.ts";
