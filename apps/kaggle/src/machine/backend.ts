import { type BackendInfo, type BackendName, useBackend } from "@gz/backend";
import { CliError } from "../cli/errors.ts";

/** Takes the backend that the user named (auto: the first that works); its failure is the user's to read. */
export async function chooseBackend(name: string, threads?: number): Promise<BackendInfo> {
  const gpu = name === "cuda" || name === "gpu";
  const prefer = name === "auto" || gpu ? undefined : (name as BackendName);
  try {
    return await useBackend({
      ...(prefer && { prefer }),
      ...(gpu && { requireGpu: true }),
      ...(threads !== undefined && { threads }),
    });
  } catch (error) {
    throw new CliError((error as Error).message);
  }
}
