/** TensorFlow.js's own format for models, without a file system of its own: tfjs writes files on its Node build alone. */
import { writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs";

const WEIGHTS = "weights.bin";

/**
 * Writes model.json and weights.bin into a folder: what tf.loadLayersModel reads, over HTTP or from a disk. The values are
 * those of the model, bit for bit.
 */
export async function saveLayersModel(model: tf.LayersModel, folder: string): Promise<void> {
  await model.save(
    tf.io.withSaveHandler(async ({ weightSpecs, weightData, ...rest }) => {
      const { modelTopology, format, generatedBy, convertedBy } = rest;
      const weightsManifest = [{ paths: [WEIGHTS], weights: weightSpecs }];
      const json = { modelTopology, format, generatedBy, convertedBy, weightsManifest };
      const file = await open(join(folder, WEIGHTS), "wx");
      try {
        for (const buffer of [weightData ?? []].flat())
          await file.appendFile(new Uint8Array(buffer));
      } finally {
        await file.close();
      }
      writeFileSync(join(folder, "model.json"), `${JSON.stringify(json)}\n`, { flag: "wx" });
      return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: "JSON" } };
    }),
  );
}
