// Three weather stations guess tomorrow's rain and wind; which of them to believe, and how much?
import { createRng } from "@gz/augment";
import { applyBlend, blend, leaveOneOut, rmse } from "@gz/ensemble";

const days = 400;
const rng = createRng(7);
const truth = Float32Array.from({ length: 2 * days }, () => rng.uniform()); // [day, (rain, wind)]
const station = (name, rainError, windError) => ({
  name,
  values: truth.map((y, i) => y + rng.normal(0, i % 2 ? windError : rainError)),
});
const stations = [
  station("coast", 0.1, 0.2),
  station("hill", 0.2, 0.1),
  station("attic", 0.6, 0.6),
];
for (const { name, values } of stations)
  console.log(`${name} alone: RMSE ${rmse(values, truth).toFixed(3)}`);

// Weights are fitted on the first half; the score on days they have not seen is what counts.
const past = stations.map(({ name, values }) => ({ name, values: values.subarray(0, days) }));
const future = stations.map(({ name, values }) => ({ name, values: values.subarray(days) }));
const [pastTruth, futureTruth] = [truth.subarray(0, days), truth.subarray(days)];
for (const weights of ["uniform", "shared", "column"]) {
  const blended = blend(past, pastTruth, { columns: 2, weights });
  const score = rmse(applyBlend(blended, future), futureTruth);
  console.log(
    `${weights}: expected ${blended.crossValidatedRmse.toFixed(3)}, got ${score.toFixed(3)}`,
  );
  for (const [column, row] of blended.weights.entries())
    if (weights === "column")
      console.log(`  ${["rain", "wind"][column]}: ${row.map((w) => w.toFixed(2)).join(" + ")}`);
}
for (const { name, crossValidatedValue } of leaveOneOut(past, pastTruth, { columns: 2 }))
  console.log(`${name} is worth ${crossValidatedValue.toFixed(3)} to the plain mean`);
